import { expect, test } from 'vitest'
import { HOSTILE_NAMES, hostile, passing, styleOf, verdict } from '../../test/support/verdicts.ts'
import { checkGithub } from './check-github.ts'
import { visible } from './escape.ts'

type Command = { readonly name: string; readonly properties: Record<string, string>; readonly data: string }

/**
 * Parses a job's log as the runner does: `::name key=value,…::data` at the start of a line, after spaces, and the older
 * `##[name key=value;…]data` from anywhere in a line. Sources: GitHub's "Workflow commands", actions/runner's ActionCommand.
 */
function commands(log: string): readonly Command[] {
  return log.split(/\r\n|\r|\n/).flatMap((line): readonly Command[] => {
    const [, name, properties = '', data = ''] = /^\s*::([\w-]+)(?: ([\s\S]*?))?::([\s\S]*)$/.exec(line) ?? []
    if (name !== undefined) {
      const pairs = properties === '' ? [] : properties.split(',').map((pair) => pair.split('='))
      const read = pairs.map(([key = '', ...value]) => [key, unescapeProperty(value.join('='))] as const)
      return [{ name, properties: Object.fromEntries(read), data: unescapeData(data) }]
    }
    const old = /##\[([\w-]+)([^\]]*)\]/.exec(line)
    return old === null ? [] : [{ name: old[1] ?? '', properties: {}, data: line }]
  })
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
}

function unescapeProperty(text: string): string {
  return unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','))
}

test('an error for each failing rule', () => {
  expect(commands(checkGithub({ verdict }, styleOf('docker/Dockerfile')))).toEqual([
    {
      name: 'error',
      properties: { file: 'docker/Dockerfile', title: 'maxSize' },
      data: 'The uncompressed size is 240 MB, over the limit of 1.00 kB.\nlayer 1 (180 MB)\nlayer 0 (60.0 MB)',
    },
    {
      name: 'error',
      properties: { file: 'docker/Dockerfile', title: 'deny' },
      data: '1 path matches **/.git/**.\napp/.git/config (300 B, layer 1)',
    },
  ])
})

test('a passing check writes no command and says that it passed', () => {
  const log = checkGithub({ verdict: passing }, styleOf())
  expect(commands(log)).toEqual([])
  expect(log).toBe(
    'All 2 rules hold for docker.io/library/nginx:1.27 (linux/amd64)\nReport: https://lamina.example/?image=nginx\n',
  )
})

test('hostile names stay data within their own command', () => {
  const found = commands(checkGithub({ verdict: hostile }, styleOf('a:b,c%=d')))
  expect(found).toHaveLength(HOSTILE_NAMES.length)
  expect(found.map(({ name, properties }) => ({ name, ...properties }))).toEqual(
    HOSTILE_NAMES.map(() => ({ name: 'error', file: 'a:b,c%=d', title: 'deny' })),
  )
  expect(found.map(({ data }) => data.split('\n')[0])).toEqual(
    HOSTILE_NAMES.map((name) => `3 paths match ${visible(name)}.`),
  )
})
