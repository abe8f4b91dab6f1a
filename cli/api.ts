/**
 * The parameters of the HTTP API, which are the flags of the commands: read from `openapi.yaml`, which is generated from the
 * routes' schemas. The bundle contains them: see `bundle.ts`.
 */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'

export type Parameter = {
  /** Its name in the API: `maxSize`. */
  readonly name: string
  readonly description: string
  readonly isNumber: boolean
  /** May be given any number of times. */
  readonly repeats: boolean
  readonly values?: readonly string[] | undefined
  readonly default?: string | undefined
  readonly example?: string | undefined
}

/** By path: `/v1/report`. */
export type Api = Readonly<Record<string, readonly Parameter[]>>

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const schema = z.object({
  type: z.string().default('string'),
  enum: z.array(scalar).optional(),
  default: scalar.optional(),
  example: z.union([scalar, z.array(scalar).transform((all) => all[0])]).optional(),
  $ref: z.string().optional(),
})
const parameter = z.object({ name: z.string(), description: z.string().default(''), schema })
const reference = z.object({ $ref: z.string() })
const document = z.object({
  paths: z.record(
    z.string(),
    z.object({
      get: z.object({ parameters: z.array(z.union([reference, parameter])).optional() }).optional(),
    }),
  ),
  components: z.object({
    parameters: z.record(z.string(), parameter),
    schemas: z.record(z.string(), z.unknown()),
  }),
})

type Schema = z.output<typeof schema>
type Described = z.output<typeof parameter>

export async function readApi(): Promise<Api> {
  const text = await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8')
  const { paths, components } = document.parse(parse(text))
  const { parameters, schemas } = components
  const describe = (one: z.output<typeof reference> | Described): Described | undefined =>
    '$ref' in one ? parameters[nameIn(one.$ref)] : one
  const schemaOf = ({ $ref, ...own }: Schema): Schema =>
    $ref === undefined ? own : { ...schema.parse(schemas[nameIn($ref)]), default: own.default }
  return Object.fromEntries(
    Object.entries(paths).map(([path, { get }]) => [
      path,
      (get?.parameters ?? [])
        .flatMap((one) => describe(one) ?? [])
        .map((one) => toParameter({ ...one, schema: schemaOf(one.schema) })),
    ]),
  )
}

/** `#/components/parameters/Image` is `Image`. */
function nameIn(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1)
}

function toParameter({ name, description, schema }: Described): Parameter {
  return {
    name,
    description,
    isNumber: schema.type === 'integer' || schema.type === 'number',
    repeats: schema.type === 'array',
    values: schema.enum,
    default: schema.default,
    example: schema.example,
  }
}
