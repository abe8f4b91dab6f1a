import { expect, test } from 'vitest'
import { Problem } from '../problem.ts'
import { tagsPage } from './tags.ts'

const sized = (name: string, compressedBytes: number) => ({
  name,
  compressedBytes,
  digest: `sha256:${name.padEnd(64, '0')}`,
  stored: [],
})

const pageOf = async (tags: Parameters<typeof tagsPage>[0]['tags']) =>
  String(
    await tagsPage({
      repository: 'registry.example/app',
      tag: undefined,
      platform: 'linux/arm64',
      tags,
      limit: 30,
    }),
  )

test('any two tags with a size can be compared, at first the newest with the one before it', async () => {
  const shown = await pageOf([
    sized('1', 10),
    sized('2', 30),
    { name: '3', problem: new Problem('registry_error', 'it is broken') },
    sized('4', 20),
  ])
  const form =
    /<form class="find" action="\/" aria-label="Compare two tags">.*?<\/form>/s.exec(shown)?.[0] ?? ''
  const optionsOf = (field: string) => {
    const [, options = ''] = new RegExp(`<select name="${field}">(.*?)</select>`, 's').exec(form) ?? []
    return [...options.matchAll(/<option value="([^"]*)" ?(selected)?>/g)].map(([, value, chosen]) => [
      value,
      chosen,
    ])
  }
  const [first, second, fourth] = ['1', '2', '4'].map((tag) => `registry.example/app:${tag}`)
  expect(optionsOf('from')).toEqual([
    [first, undefined],
    [second, 'selected'],
    [fourth, undefined],
  ])
  expect(optionsOf('to')).toEqual([
    [first, undefined],
    [second, undefined],
    [fourth, 'selected'],
  ])
  for (const side of ['from', 'to']) {
    expect(form).toContain(`<input type="hidden" name="${side}Platform" value="linux/arm64">`)
  }
})

test('one tag has nothing to be compared with', async () => {
  expect(await pageOf([sized('1', 10)])).not.toContain('Compare two tags')
})

test('growth and shrinkage have the colours of a warning and of what is good', async () => {
  const shown = await pageOf([sized('1', 1_000), sized('2', 3_000), sized('3', 2_000)])
  expect(shown).toContain('<span class="more">+2.00 kB</span>')
  expect(shown).toContain('<span class="less">-1.00 kB</span>')
})
