/**
 * Describes an image in the formats of other tools. This file writes a bill of materials: an image's packages as CycloneDX 1.6
 * or SPDX 2.3, as JSON that is written while the packages are read. Libraries for these formats hold the whole document in
 * memory, and an image can have many packages. The same image gives the same bytes: times come from the image, identifiers
 * from its digest.
 */
import { createHash } from 'node:crypto'
import { formatPurl } from '../image/packages/purl.ts'
import type { ImageIdentity, Package } from '../image/report.ts'
import { isExpression } from './license.ts'

export const SBOM_FORMATS = ['cyclonedx', 'spdx'] as const
export type SbomFormat = (typeof SBOM_FORMATS)[number]

export type SbomImage = Pick<ImageIdentity, 'digest' | 'reference' | 'created'> &
  Partial<Pick<ImageIdentity, 'registry' | 'repository'>> & {
    readonly architecture?: string
  }

export const SBOM_MEDIA_TYPES: Record<SbomFormat, string> = {
  cyclonedx: 'application/vnd.cyclonedx+json',
  spdx: 'application/spdx+json',
}

/** @param packages in the order of their table, which numbers them */
export function writeSbom(
  format: SbomFormat,
  image: SbomImage,
  packages: AsyncIterable<readonly Package[]>,
): AsyncIterable<string> {
  return format === 'cyclonedx' ? writeCycloneDx(image, packages) : writeSpdx(image, packages)
}

async function* writeCycloneDx(
  image: SbomImage,
  packages: AsyncIterable<readonly Package[]>,
): AsyncIterable<string> {
  const head = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid('cyclonedx', image.digest)}`,
    version: 1,
    metadata: {
      ...(image.created === undefined ? {} : { timestamp: image.created }),
      tools: { components: [{ type: 'application', name: 'lamina' }] },
      component: {
        type: 'container',
        'bom-ref': 'image',
        name: image.reference,
        version: image.digest,
        purl: imagePurl(image),
      },
    },
  }
  yield `${JSON.stringify(head).slice(0, -1)},\n"components":[`
  let system: OperatingSystem | undefined
  let count = 0
  const show = (one: Package, number: number) => {
    system ??= systemOf(one)
    count = number + 1
    return toComponent(one, number)
  }
  yield* writeItems(packages, show, '')
  // A system is known by one of its packages, so it is never the first.
  if (system !== undefined)
    yield `,\n${JSON.stringify({ type: 'operating-system', 'bom-ref': SYSTEM_REF, ...system })}`
  // What each package needs is in no table: only that the image needs them all is known.
  yield `],\n"dependencies":[{"ref":"image","dependsOn":[`
  for (let number = 0; number < count; number++) yield `${number === 0 ? '' : ','}"${packageRef(number)}"`
  if (system !== undefined) yield `,"${SYSTEM_REF}"`
  yield ']}]}'
}

const SYSTEM_REF = 'os'

const packageRef = (number: number) => `package-${number}`

type OperatingSystem = { readonly name: string; readonly version: string }

/** Scanners choose their database by it: packages of a distribution name it in their purl. */
function systemOf({ purl }: Package): OperatingSystem | undefined {
  const [, name, version] = /^pkg:[a-z]+\/([^/]+)\/.*[?&]distro=\1-([^&]+)/.exec(purl) ?? []
  return name === undefined || version === undefined ? undefined : { name, version }
}

function toComponent(one: Package, number: number): object {
  return {
    type: 'library',
    'bom-ref': packageRef(number),
    ...groupAndName(one),
    ...(one.version === undefined ? {} : { version: one.version }),
    purl: one.purl,
    ...(one.license === undefined ? {} : { licenses: [cycloneDxLicense(one.license)] }),
    properties: [
      { name: 'lamina:layer', value: String(one.layer) },
      ...(one.bytes === undefined ? [] : [{ name: 'lamina:bytes', value: String(one.bytes) }]),
    ],
  }
}

function cycloneDxLicense(license: string): object {
  return isExpression(license) ? { expression: license } : { license: { name: license } }
}

/** `@scope/name` of npm and `group:name` of maven are two fields. */
function groupAndName({ type, name }: Package): {
  readonly group?: string
  readonly name: string
} {
  const colon = type === 'maven' ? name.indexOf(':') : -1
  if (colon > 0 && colon < name.length - 1)
    return { group: name.slice(0, colon), name: name.slice(colon + 1) }
  const slash = type === 'npm' && name.startsWith('@') ? name.indexOf('/') : -1
  if (slash < 1 || slash === name.length - 1) return { name }
  return { group: name.slice(0, slash), name: name.slice(slash + 1) }
}

const NO_TIME = '1970-01-01T00:00:00Z'

async function* writeSpdx(
  image: SbomImage,
  packages: AsyncIterable<readonly Package[]>,
): AsyncIterable<string> {
  const root = {
    SPDXID: 'SPDXRef-image',
    name: image.reference,
    versionInfo: image.digest,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'CONTAINER',
    externalRefs: [purlReference(imagePurl(image))],
  }
  const head = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image.reference,
    documentNamespace: `urn:uuid:${uuid('spdx', image.digest)}`,
    creationInfo: {
      created: toSeconds(image.created),
      creators: ['Tool: lamina'],
    },
  }
  let count = 0
  yield `${JSON.stringify(head).slice(0, -1)},\n"packages":[${JSON.stringify(root)}`
  let system: OperatingSystem | undefined
  const show = (one: Package, number: number) => {
    count = number + 1
    system ??= systemOf(one)
    return toSpdxPackage(one, number)
  }
  yield* writeItems(packages, show, ',\n')
  if (system !== undefined) yield `,\n${JSON.stringify(toSpdxSystem(system))}`
  yield '],\n"relationships":['
  yield JSON.stringify(relationship('SPDXRef-DOCUMENT', 'DESCRIBES', root.SPDXID))
  for (let number = 0; number < count; number++) {
    yield `,\n${JSON.stringify(relationship(root.SPDXID, 'CONTAINS', packageId(number)))}`
  }
  if (system !== undefined) yield `,\n${JSON.stringify(relationship(root.SPDXID, 'CONTAINS', SYSTEM_ID))}`
  yield ']}'
}

const SYSTEM_ID = 'SPDXRef-os'

function toSpdxSystem({ name, version }: OperatingSystem): object {
  return {
    SPDXID: SYSTEM_ID,
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'OPERATING-SYSTEM',
  }
}

function toSpdxPackage(one: Package, number: number): object {
  return {
    SPDXID: packageId(number),
    name: one.name,
    ...(one.version === undefined ? {} : { versionInfo: one.version }),
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    externalRefs: [purlReference(one.purl)],
    ...spdxLicense(one.license),
    comment: one.bytes === undefined ? `layer: ${one.layer}` : `layer: ${one.layer}, bytes: ${one.bytes}`,
  }
}

/** Only expressions are allowed as what is declared. */
function spdxLicense(license: string | undefined): object {
  if (license === undefined) return {}
  if (isExpression(license)) return { licenseDeclared: license }
  return { licenseDeclared: 'NOASSERTION', licenseComments: `declared: ${license}` }
}

const packageId = (number: number) => `SPDXRef-package-${number}`

function relationship(from: string, type: 'DESCRIBES' | 'CONTAINS', to: string): object {
  return {
    spdxElementId: from,
    relationshipType: type,
    relatedSpdxElement: to,
  }
}

function purlReference(purl: string): object {
  return {
    referenceCategory: 'PACKAGE-MANAGER',
    referenceType: 'purl',
    referenceLocator: purl,
  }
}

/** SPDX times have no fractions. */
function toSeconds(created: string | undefined): string {
  return created === undefined ? NO_TIME : `${created.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`
}

/** @param before the separator between the first of them and what is already in the array */
async function* writeItems(
  packages: AsyncIterable<readonly Package[]>,
  show: (one: Package, number: number) => object,
  before: string,
): AsyncIterable<string> {
  let separator = before
  let number = 0
  for await (const batch of packages) {
    let text = ''
    for (const one of batch) {
      text += `${separator}${JSON.stringify(show(one, number))}`
      separator = ',\n'
      number++
    }
    if (text !== '') yield text
  }
}

/** `pkg:oci/<last part of the repository>@sha256:…`, as in purl-spec for images. */
function imagePurl({ digest, registry, repository = 'image', architecture }: SbomImage): string {
  const name = repository.slice(repository.lastIndexOf('/') + 1)
  const qualifiers = {
    arch: architecture,
    repository_url: registry === undefined ? undefined : `${registry}/${repository}`,
  }
  return formatPurl({ type: 'oci', name, version: digest, qualifiers })
}

/** RFC 9562, version 8: derived from the digest. */
function uuid(format: SbomFormat, digest: string): string {
  const bytes = createHash('sha256').update(`${format} ${digest}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
