/**
 * Tools for agents (the Model Context Protocol): each one asks an endpoint of the API and takes its parameters. This file has
 * what differs between them.
 */
import { z } from 'zod'

/** A JSON Schema of one argument. */
export type ArgumentSchema = Record<string, z.core.util.JSONType>

export type InputSchema = {
  readonly type: 'object'
  readonly properties: Record<string, ArgumentSchema>
  readonly required: string[]
  readonly additionalProperties: false
}

export type Tool = {
  readonly name: string
  readonly description: string
  /** The endpoint that it asks. */
  readonly path: string
  /** What the answer is, in a sentence. */
  readonly says: string
  readonly inputSchema: InputSchema
}

type ToolKind = Omit<Tool, 'inputSchema'>

/** In the order in which agents see them. */
const KINDS: readonly ToolKind[] = [
  {
    name: 'report',
    path: '/v1/report',
    description:
      'What is inside a container image: sizes, layers with the steps that made them, wasted bytes, kinds of files, packages. Begin here to learn about an image. Sizes are in bytes; layer 0 is the lowest.',
    says: 'The report on the image. Sizes are in bytes; layer 0 is the lowest.',
  },
  {
    name: 'advice',
    path: '/v1/advice',
    description:
      'What to change to make a container image smaller or safer: each item has its rule, the bytes that it saves, the layer and step, and what to write in the Dockerfile. Begin here to shrink an image.',
    says: 'What to change in the image, the largest saving first: `bytes`.',
  },
  {
    name: 'diff',
    path: '/v1/diff',
    description:
      'What changed between two container images: sizes, layers, counts of files, the directories that changed most, packages, config. Use it to explain why a build grew.',
    says: 'What changed from the first image to the second. Deltas are in bytes.',
  },
  {
    name: 'files',
    path: '/v1/files',
    description:
      'Lists the files of a container image, or with `layer` the members of one layer. Narrow it by `glob`, `type` and `minBytes`; `sort: "-bytes"` lists the largest first.',
    says: 'Files of the image.',
  },
  {
    name: 'file',
    path: '/v1/file',
    description:
      'The text of one file of a container image, a page at a time; of other files the first 256 bytes as hex. `layer` shows what a later layer hides. A path may lead into archives: `app.jar!/META-INF/MANIFEST.MF`.',
    says: 'The text of the file.',
  },
  {
    name: 'packages',
    path: '/v1/packages',
    description:
      'Lists the packages that are installed in a container image: of dpkg, apk, rpm, npm, Python, Go, Java and others, with versions and licenses.',
    says: 'Packages that are installed in the image.',
  },
  {
    name: 'check',
    path: '/v1/check',
    description:
      'Checks a container image against rules: limits on sizes, waste and growth, files that must not be there. Needs at least one rule. `pass` is the verdict; each rule has its value, its limit and its evidence.',
    says: 'The verdict on the image, and each rule.',
  },
  {
    name: 'inside',
    path: '/v1/inside',
    description:
      'What one file of a container image is made of: entries of a zip, jar, tar or ar archive; sections and areas of an ELF binary, and the modules of a Go program.',
    says: 'What the file is made of.',
  },
  {
    name: 'update',
    path: '/v1/update',
    description:
      'What a machine that has one container image downloads for another, why each layer is pulled again, and how to order steps so that updates cost less.',
    says: 'What the update downloads, and why.',
  },
]

/** Parameters that only choose how an answer looks. */
const LOOKS = new Set(['format', 'color', 'columns', 'width', 'depth', 'file', 'advice', 'fields'])
/** Those of the report's treemap. */
const PICTURE = new Set(['path', 'pathBase64'])

const CURSOR: ArgumentSchema = {
  type: 'string',
  description: 'The cursor of the previous answer, for what follows; the other arguments stay the same.',
}
const OFFSET: ArgumentSchema = {
  type: 'integer',
  minimum: 0,
  description: 'The byte to begin at, instead of a cursor.',
}
/** The same for each tool: text for people is longer. */
const SHORTER: Readonly<Record<string, string>> = {
  wait: 'Seconds to wait for the analysis; 55 by default.',
  read: '`toc`: trust layers that have a table of contents (eStargz, zstd:chunked) instead of reading them.',
  image: 'The image, as for `docker pull`: `nginx:1.27`, `ghcr.io/o/app@sha256:…`.',
}

const schema = z.record(z.string(), z.json())
const parameter = z.object({
  name: z.string(),
  description: z.string().default(''),
  required: z.boolean().default(false),
  schema,
})
const reference = z.object({ $ref: z.string() })
const document = z.object({
  paths: z.record(
    z.string(),
    z.object({
      get: z.object({ parameters: z.array(z.union([reference, parameter])).default([]) }).optional(),
    }),
  ),
  components: z.object({
    parameters: z.record(z.string(), parameter),
    schemas: z.record(z.string(), z.unknown()),
  }),
})

type Parameter = z.output<typeof parameter>

/** @param openApi the API's own description, from which the tools take their parameters */
export function toolsOf(openApi: unknown): readonly Tool[] {
  const { paths, components } = document.parse(openApi)
  const named = (path: string) => path.slice(path.lastIndexOf('/') + 1)
  const resolved = ({ schema: own, ...one }: Parameter): Parameter => ({
    ...one,
    schema: typeof own.$ref === 'string' ? schema.parse(components.schemas[named(own.$ref)]) : own,
  })
  return KINDS.map((kind) => {
    const parameters = (paths[kind.path]?.get?.parameters ?? [])
      .flatMap((one) => ('$ref' in one ? (components.parameters[named(one.$ref)] ?? []) : one))
      .filter(({ name }) => !LOOKS.has(name) && !(kind.name === 'report' && PICTURE.has(name)))
      .map(resolved)
    return { ...kind, inputSchema: inputSchema(kind, parameters) }
  })
}

function inputSchema({ name: tool }: ToolKind, parameters: readonly Parameter[]): InputSchema {
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(parameters.map((one) => [one.name, argument(one)])),
      ...(tool === 'file' ? { offset: OFFSET } : {}),
      cursor: CURSOR,
    },
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
  }
}

/** What constrains a value; examples and defaults are left out, so that a list of tools stays small. */
const CONSTRAINTS = ['type', 'items', 'enum', 'minimum', 'maximum']

function argument({ name, description, schema }: Parameter): ArgumentSchema {
  const constraints = Object.entries(schema).filter(([keyword]) => CONSTRAINTS.includes(keyword))
  return { ...Object.fromEntries(constraints), description: SHORTER[name] ?? (description || name) }
}
