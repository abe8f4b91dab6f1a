/**
 * The images that a build started from, by its provenance. Sources: SLSA v0.2 (`materials`) and v1
 * (`buildDefinition.resolvedDependencies`); the purl specification, type `docker`, as BuildKit writes it.
 */
import { z } from 'zod'
import type { BaseName } from '../oci/base-names.ts'
import { isSha256 } from '../oci/digest.ts'
import { hasMoreParts, parseJson } from '../text/json.ts'

export const SLSA_PROVENANCE = 'https://slsa.dev/provenance'

const MAX_PARTS = 200_000
const PURL = 'pkg:docker/'
const MAX_PURL_LENGTH = 2_048

const list = z.array(z.unknown()).optional().catch(undefined)
const statementSchema = z.object({
  predicateType: z.string(),
  predicate: z.object({
    materials: list,
    buildDefinition: z.object({ resolvedDependencies: list }).optional().catch(undefined),
  }),
})

const dependencySchema = z.object({
  uri: z.string().max(MAX_PURL_LENGTH),
  digest: z.object({ sha256: z.string() }).optional().catch(undefined),
})

/** The images with a digest that an in-toto statement names, in its order; none if it is no provenance. */
export function imagesOfProvenance(statement: Uint8Array): readonly BaseName[] {
  if (hasMoreParts(statement, MAX_PARTS)) return []
  const { data } = statementSchema.safeParse(parseJson(statement))
  if (data === undefined || !data.predicateType.startsWith(SLSA_PROVENANCE)) return []
  const { materials, buildDefinition } = data.predicate
  return (materials ?? buildDefinition?.resolvedDependencies ?? []).flatMap((dependency) => {
    const parsed = dependencySchema.safeParse(dependency)
    return parsed.success ? nameOf(parsed.data) : []
  })
}

function nameOf({ uri, digest }: z.infer<typeof dependencySchema>): readonly BaseName[] {
  const purl = parsePurl(uri)
  if (purl === undefined) return []
  const known = [digest && `sha256:${digest.sha256}`, purl.digest].find((one) => one && isSha256(one))
  return known === undefined ? [] : [{ evidence: 'provenance', name: purl.name, digest: known }]
}

/** Undefined for another type, and for what cannot be decoded. */
function parsePurl(uri: string): { readonly name: string; readonly digest?: string | undefined } | undefined {
  const [, path, version, query] = /^pkg:docker\/([^@?#]+)(?:@([^?#]*))?(?:\?([^#]*))?/.exec(uri) ?? []
  if (!uri.startsWith(PURL) || path === undefined) return undefined
  try {
    const name = decodeURIComponent(path)
    const qualifier = new URLSearchParams(query ?? '').get('digest') ?? undefined
    const what = version === undefined ? undefined : decodeURIComponent(version)
    if (what?.startsWith('sha256:')) return { name: `${name}@${what}`, digest: qualifier ?? what }
    return { name: what ? `${name}:${what}` : name, digest: qualifier }
  } catch {
    return undefined
  }
}
