import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { parseBomJson } from '@appthreat/cdx-proto'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, it, test } from 'vitest'
import type { Package } from '../image/report.ts'
import { type SbomFormat, writeSbom } from './sbom.ts'

const IMAGE = {
  reference: 'ghcr.io/owner/app:v1',
  registry: 'ghcr.io',
  repository: 'owner/app',
  digest: `sha256:${'ab'.repeat(32)}`,
  created: '2023-11-14T22:13:20.5Z',
  architecture: 'amd64',
}

const PACKAGES: readonly Package[] = [
  { type: 'deb', name: 'a"b<c>&d\'', version: '1:2~rc1', purl: 'pkg:deb/debian/x@1', bytes: 7, layer: 0 },
  { type: 'npm', name: '@scope/na.me', version: '1.0.0', purl: 'pkg:npm/%40scope/na.me@1.0.0', layer: 1 },
  { type: 'npm', name: '@scope/na.me', version: '1.0.0', purl: 'pkg:npm/%40scope/na.me@1.0.0', layer: 2 },
  { type: 'npm', name: '__proto__', version: '\u202e1', purl: 'pkg:npm/__proto__@1', bytes: 0, layer: 1 },
]

const LICENSED: readonly Package[] = [
  { type: 'npm', name: 'a', version: '1', purl: 'pkg:npm/a@1', layer: 1, license: 'MIT OR Apache-2.0' },
  { type: 'pypi', name: 'b', version: '1', purl: 'pkg:pypi/b@1', layer: 1, license: 'as you like' },
]

/** Of a distribution. */
const SYSTEM: readonly Package[] = [
  {
    type: 'deb',
    name: 'libc6',
    version: '2.41-12+deb13u5',
    purl: 'pkg:deb/debian/libc6@2.41-12%2Bdeb13u5?arch=amd64&distro=debian-13',
    layer: 0,
  },
]

async function sbom(format: SbomFormat, packages: readonly Package[] = PACKAGES, image = IMAGE) {
  async function* batches() {
    yield packages.slice(0, 1)
    yield []
    yield packages.slice(1)
  }
  const text = (await Array.fromAsync(writeSbom(format, image, batches()))).join('')
  return JSON.parse(text)
}

it('CycloneDX is valid against its official schema', async () => {
  const { resolve } = createRequire(import.meta.url)
  const folder = resolve('@cyclonedx/cyclonedx-library/package.json').replace('package.json', 'res/schema/')
  const schema = async (name: string) =>
    JSON.parse(await readFile(`${folder}${name}.SNAPSHOT.schema.json`, 'utf8'))
  const ajv = new Ajv({ strict: false })
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
    ajv.addSchema(await schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  }
  addFormats.default(ajv)
  for (const name of ['idn-email', 'iri-reference']) ajv.addFormat(name, true)
  const valid = ajv.compile(await schema('bom-1.6'))
  for (const packages of [PACKAGES, [...LICENSED, ...SYSTEM], []]) {
    valid(await sbom('cyclonedx', packages))
    expect(valid.errors).toBeNull()
  }
  valid({ ...(await sbom('cyclonedx')), specVersion: 1 })
  expect(valid.errors).not.toBeNull()
})

it('CycloneDX names each package with its layer and bytes', async () => {
  const { components, metadata, serialNumber } = await sbom('cyclonedx')
  expect(serialNumber).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  expect(metadata.component.purl).toBe(
    `pkg:oci/app@sha256:${'ab'.repeat(32)}?arch=amd64&repository_url=ghcr.io%2Fowner%2Fapp`,
  )
  expect(components).toStrictEqual([
    {
      type: 'library',
      'bom-ref': 'package-0',
      name: 'a"b<c>&d\'',
      version: '1:2~rc1',
      purl: 'pkg:deb/debian/x@1',
      properties: [
        { name: 'lamina:layer', value: '0' },
        { name: 'lamina:bytes', value: '7' },
      ],
    },
    {
      type: 'library',
      'bom-ref': 'package-1',
      group: '@scope',
      name: 'na.me',
      version: '1.0.0',
      purl: 'pkg:npm/%40scope/na.me@1.0.0',
      properties: [{ name: 'lamina:layer', value: '1' }],
    },
    expect.objectContaining({ 'bom-ref': 'package-2', properties: [{ name: 'lamina:layer', value: '2' }] }),
    expect.objectContaining({ name: '__proto__', version: '\u202e1' }),
  ])
})

it('CycloneDX says that the image depends on each component', async () => {
  const packages = [...PACKAGES, ...SYSTEM]
  const { components, dependencies } = await sbom('cyclonedx', packages)
  const all = components.map((component: Record<string, unknown>) => component['bom-ref'])
  expect(all).toHaveLength(packages.length + 1)
  expect(dependencies).toStrictEqual([{ ref: 'image', dependsOn: all }])
  expect((await sbom('cyclonedx', [])).dependencies).toStrictEqual([{ ref: 'image', dependsOn: [] }])
})

it('a reader of CycloneDX finds the same names, versions and package URLs', async () => {
  const packages = [...PACKAGES, ...LICENSED, ...SYSTEM]
  // Its own schema has neither `$schema` nor `dependsOn`.
  const options = { ignoreUnknownFields: true }
  const { metadata, components } = parseBomJson(await sbom('cyclonedx', packages), options)
  expect(metadata?.component).toMatchObject({ name: IMAGE.reference, version: IMAGE.digest })
  expect(
    components
      .slice(0, packages.length)
      .map(({ group, name, version, purl }) => ({ name: group ? `${group}/${name}` : name, version, purl })),
  ).toStrictEqual(packages.map(({ name, version, purl }) => ({ name, version, purl })))
  expect(components.slice(packages.length)).toMatchObject([{ name: 'debian', version: '13' }])
})

it('SPDX says that the image contains each package', async () => {
  const { packages, relationships, creationInfo, ...rest } = await sbom('spdx')
  expect(rest).toStrictEqual({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: IMAGE.reference,
    documentNamespace: expect.stringMatching(/^urn:uuid:/),
  })
  expect(creationInfo).toStrictEqual({ created: '2023-11-14T22:13:20Z', creators: ['Tool: lamina'] })
  expect(packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID)).toStrictEqual([
    'SPDXRef-image',
    'SPDXRef-package-0',
    'SPDXRef-package-1',
    'SPDXRef-package-2',
    'SPDXRef-package-3',
  ])
  expect(packages[1]).toStrictEqual({
    SPDXID: 'SPDXRef-package-0',
    name: 'a"b<c>&d\'',
    versionInfo: '1:2~rc1',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: 'pkg:deb/debian/x@1' },
    ],
    comment: 'layer: 0, bytes: 7',
  })
  expect(packages[2].comment).toBe('layer: 1')
  expect(relationships).toStrictEqual([
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-image' },
    ...[0, 1, 2, 3].map((number) => ({
      spdxElementId: 'SPDXRef-image',
      relationshipType: 'CONTAINS',
      relatedSpdxElement: `SPDXRef-package-${number}`,
    })),
  ])
})

test.each(['cyclonedx', 'spdx'] as const)(
  '%s of the same image is always the same, of another image it differs',
  async (format) => {
    const key = format === 'cyclonedx' ? 'serialNumber' : 'documentNamespace'
    const one = await sbom(format)
    expect(await sbom(format)).toStrictEqual(one)
    const other = await sbom(format, PACKAGES, { ...IMAGE, digest: `sha256:${'cd'.repeat(32)}` })
    expect(other[key]).not.toBe(one[key])
  },
)

test('the operating system is named as the purls of its packages name it, in both formats', async () => {
  const { components } = await sbom('cyclonedx', [...PACKAGES, ...SYSTEM])
  expect(components.at(-1)).toEqual({
    type: 'operating-system',
    'bom-ref': 'os',
    name: 'debian',
    version: '13',
  })
  const { packages, relationships } = await sbom('spdx', [...PACKAGES, ...SYSTEM])
  expect(packages.at(-1)).toMatchObject({
    SPDXID: 'SPDXRef-os',
    name: 'debian',
    versionInfo: '13',
    primaryPackagePurpose: 'OPERATING-SYSTEM',
  })
  expect(relationships.at(-1)).toMatchObject({
    relationshipType: 'CONTAINS',
    relatedSpdxElement: 'SPDXRef-os',
  })
})

test('licences are expressions where they can be, and the words of their author otherwise', async () => {
  const { components } = await sbom('cyclonedx', LICENSED)
  expect(components.flatMap(({ licenses }: { licenses?: unknown[] }) => licenses ?? [])).toEqual([
    { expression: 'MIT OR Apache-2.0' },
    { license: { name: 'as you like' } },
  ])
  const { packages } = await sbom('spdx', LICENSED)
  expect(packages.slice(-2)).toMatchObject([
    { licenseDeclared: 'MIT OR Apache-2.0' },
    { licenseDeclared: 'NOASSERTION', licenseComments: 'declared: as you like' },
  ])
})
