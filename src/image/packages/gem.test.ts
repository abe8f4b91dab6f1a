import { expect, it } from 'vitest'
import { gather, pieces } from '../../../test/support/findings.ts'
import { readGemSpecification } from './gem.ts'

async function read(text: string) {
  return (await gather(readGemSpecification(pieces(text)))).packages
}

const CODE = `
Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.16.0"
  s.platform = "x86_64-linux".freeze
  s.summary = "s.name = \\"x\\""
end
`

it('reads the line that RubyGems reads', async () => {
  const text = `# -*- encoding: utf-8 -*-\n# stub: rack 3.0.8 ruby lib\n${CODE}`
  expect(await read(text)).toEqual([{ type: 'gem', name: 'rack', version: '3.0.8' }])
})

it('reports the platform of a gem with native code', async () => {
  const text = '# stub: nokogiri 1.16.0 x86_64-linux lib\n'
  const nokogiri = { type: 'gem', name: 'nokogiri', version: '1.16.0', architecture: 'x86_64-linux' }
  expect(await read(text)).toEqual([nokogiri])
  expect(await read(CODE)).toEqual([nokogiri])
})

it.each(['', '# stub: \n', '# stub: a\n', '  s.name = "a"\n', '\0\xff'])(
  'finds nothing in %j',
  async (text) => {
    expect(await read(text)).toEqual([])
  },
)
