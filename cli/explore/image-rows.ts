/** The view about the image as a whole: what its report and its config say. */
import { z } from 'zod'
import { terminalText } from '../../src/formats/escape.ts'
import { formatBytes, formatCount } from '../../src/text/format.ts'
import type { Row } from './list-pane.ts'
import type { Report } from './questions.ts'

const texts = z.array(z.string()).nullish()
const configSchema = z.object({
  created: z.string().nullish(),
  config: z
    .object({
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
      Entrypoint: texts,
      Cmd: texts,
      Env: texts,
      Labels: z.record(z.string(), z.string()).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Volumes: z.record(z.string(), z.unknown()).nullish(),
      StopSignal: z.string().nullish(),
    })
    .nullish(),
  history: z
    .array(z.object({ created_by: z.string().optional(), empty_layer: z.boolean().optional() }))
    .nullish(),
})

/** The steps that made the layers, as far as the config tells them: known before a layer is read. */
export function stepsOf(config: unknown): readonly string[] {
  const { history } = configSchema.safeParse(config).data ?? {}
  return (history ?? []).flatMap(({ created_by: step = '', empty_layer: isEmpty }) =>
    isEmpty === true ? [] : [terminalText(step)],
  )
}

export function imageRows({ image, size, counts }: Report, config: unknown): readonly Row[] {
  const { config: own, created } = configSchema.safeParse(config).data ?? {}
  const bytes = (count: number) => `${formatBytes(count)}  (${formatCount(count)} B)`
  const lines: [string, string | null | undefined][] = [
    ['reference', image.reference],
    ['platform', image.platform],
    ['digest', image.digest],
    ['image ID', image.id],
    ['created', created],
    ['pull', bytes(size.compressedBytes)],
    ['stored', size.uncompressedBytes === undefined ? undefined : bytes(size.uncompressedBytes)],
    ['file system', `${bytes(size.rootfsBytes)}; hard links count once`],
    ['files', `${formatCount(counts.files)} in ${formatCount(counts.layers)} layers`],
    ['user', own?.User],
    ['folder', own?.WorkingDir],
    ['entrypoint', own?.Entrypoint && JSON.stringify(own.Entrypoint)],
    ['command', own?.Cmd && JSON.stringify(own.Cmd)],
    ['stop signal', own?.StopSignal],
    ...(own?.Env ?? []).map((text): [string, string] => ['environment', text]),
    ...Object.entries(own?.Labels ?? {}).map(([key, value]): [string, string] => [
      'label',
      `${key}=${value}`,
    ]),
    ...Object.keys(own?.ExposedPorts ?? {}).map((port): [string, string] => ['port', port]),
    ...Object.keys(own?.Volumes ?? {}).map((volume): [string, string] => ['volume', volume]),
  ]
  return lines.flatMap(([title, value]): Row[] => {
    if (!value) return []
    const shown = terminalText(value)
    return [
      {
        cells: [title, shown],
        name: `${title}: ${shown}`,
        bytes: undefined,
        about: () => [title, '', shown],
      },
    ]
  })
}
