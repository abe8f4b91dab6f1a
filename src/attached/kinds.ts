/** What kind of thing is attached: by its predicate, the media types, or the tag. */

export const KINDS = ['sbom', 'provenance', 'signature', 'vex', 'vulnerabilities', 'other'] as const
export type Kind = (typeof KINDS)[number]

/** What says of which kind an item is. */
export type KindFacts = {
  readonly predicateType: string | undefined
  /** `dev.sigstore.bundle.content` */
  readonly bundleContent: string | undefined
  readonly mediaType: string
  readonly artifactType: string | undefined
  /** Of cosign's tags. */
  readonly byTag: Kind | undefined
}

const PREDICATES: ReadonlyMap<string, Kind> = new Map([
  ['https://spdx.dev/Document', 'sbom'],
  ['https://cyclonedx.org/bom', 'sbom'],
  ['https://cyclonedx.org/schema', 'sbom'],
  ['https://scout.docker.com/sbom', 'sbom'],
  ['https://slsa.dev/provenance', 'provenance'],
  ['https://scout.docker.com/provenance', 'provenance'],
  ['https://sigstore.dev/cosign/sign', 'signature'],
  ['https://openvex.dev/ns', 'vex'],
  ['https://cosign.sigstore.dev/attestation/vuln', 'vulnerabilities'],
  ['https://in-toto.io/attestation/vulns', 'vulnerabilities'],
  ['https://scout.docker.com/vulnerabilities', 'vulnerabilities'],
])

const SIGNATURES = new Set([
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.cncf.notary.signature',
  'application/jose+json',
  'application/cose',
])

const CONTAINED: readonly (readonly [kind: Kind, parts: readonly string[]])[] = [
  ['sbom', ['spdx', 'cyclonedx', 'syft']],
  ['provenance', ['in-toto.provenance']],
  ['vex', ['openvex']],
  ['vulnerabilities', ['sarif', 'vnd.security.vulnerability.report']],
]

export function kindOf({ predicateType, bundleContent, mediaType, artifactType, byTag }: KindFacts): Kind {
  if (predicateType !== undefined) return kindOfPredicate(predicateType)
  if (bundleContent === 'message-signature') return 'signature'
  return kindOfType(mediaType) ?? kindOfType(artifactType) ?? byTag ?? 'other'
}

/** By the whole, or up to a slash: versions follow. */
function kindOfPredicate(predicate: string): Kind {
  for (const [begin, kind] of PREDICATES)
    if (predicate === begin || predicate.startsWith(`${begin}/`)) return kind
  return 'other'
}

function kindOfType(type = ''): Kind | undefined {
  const lower = type.toLowerCase()
  if (SIGNATURES.has(lower)) return 'signature'
  return CONTAINED.find(([, parts]) => parts.some((part) => lower.includes(part)))?.[0]
}

const FORMATS = {
  spdx: {
    predicate: /^https:\/\/spdx\.dev\/Document(?:\/|$)/,
    type: /^[\w.-]+\/(?:[\w.-]*\.)?spdx(?:[.-][\w.-]+)?\+json/,
  },
  cyclonedx: {
    predicate: /^https:\/\/cyclonedx\.org\/(?:bom|schema)(?:\/|$)/,
    type: /^[\w.-]+\/(?:[\w.-]*\.)?cyclonedx(?:[.-][\w.-]+)?\+json/,
  },
} as const

export type SbomFormat = keyof typeof FORMATS

/** Whether it is a bill of materials of this format in JSON. */
export function isSbom(
  { predicateType, mediaType }: { readonly predicateType?: string; readonly mediaType: string },
  format: SbomFormat,
): boolean {
  const { predicate, type } = FORMATS[format]
  return predicateType === undefined ? type.test(mediaType.toLowerCase()) : predicate.test(predicateType)
}
