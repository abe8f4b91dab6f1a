/** The recipes in `docs/cli.md` that start the explorer from other programs, read as those read them. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { readApi } from '../../cli/api.ts'
import { createProgram } from '../../cli/program.ts'

const document = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')

function recipe(file: string): unknown {
  const start = document.indexOf(`\`\`\`yaml ${file}\n`)
  const text = document.slice(document.indexOf('\n', start), document.indexOf('\n```\n', start))
  return parse(text)
}

/** The fields that a plugin of k9s may have; it refuses files with others. */
const plugins = z.strictObject({
  plugins: z.record(
    z.string(),
    z.strictObject({
      shortCut: z.string(),
      description: z.string(),
      scopes: z.array(z.string()),
      command: z.string(),
      args: z.array(z.string()),
      background: z.boolean(),
    }),
  ),
})

const custom = z.strictObject({
  customCommands: z.strictObject({
    images: z.array(z.strictObject({ name: z.string(), attach: z.boolean(), command: z.string() })),
  }),
})

/** What the command makes of these words. */
async function asked(words: readonly string[]): Promise<unknown> {
  let found: unknown
  const program = createProgram(await readApi(), {
    ask: async ({ command, parameters }) => {
      found = { name: command.name, image: parameters.get('image') }
    },
    lake: async () => {},
    mcp: async () => {},
    serve: async () => {},
    completion: async () => {},
    version: () => {},
  })
  await program.parseAsync(words, { from: 'user' })
  return found
}

test('k9s starts the explorer for the image of a container', async () => {
  const { lamina } = plugins.parse(recipe('~/.config/k9s/plugins.yaml')).plugins
  expect(lamina).toMatchObject({ command: 'lamina', scopes: ['containers'], background: false })
  const words = lamina?.args.map((word) => word.replace('$COL-IMAGE', 'nginx:1.27')) ?? []
  expect(await asked(words)).toEqual({ name: 'explore', image: ['nginx:1.27'] })
})

test('lazydocker starts the explorer for an image of the engine', async () => {
  const [command] = custom.parse(recipe('~/.config/lazydocker/config.yml')).customCommands.images
  expect(command?.attach).toBe(true)
  const filled = command?.command.replace('{{ .Image.Name }}', 'app').replace('{{ .Image.Tag }}', 'dev')
  const [program, ...words] = filled?.split(' ') ?? []
  expect(program).toBe('lamina')
  expect(await asked(words)).toEqual({ name: 'explore', image: ['docker-daemon:app:dev'] })
})
