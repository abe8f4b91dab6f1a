/** Package URLs (github.com/package-url/purl-spec), by the rules of each type. */
import { PackageURL } from 'packageurl-js'
import type { FoundPackage } from './found.ts'

/** The namespace if there is no os-release. */
const VENDOR = { deb: 'debian', apk: 'alpine', rpm: undefined } as const

/** @param distribution os-release's `ID` */
export function purlOf(found: FoundPackage, distribution?: string): string {
  const { type, name, version, architecture } = found
  switch (type) {
    case 'deb':
    case 'apk':
      return format({
        type,
        namespace: distribution ?? VENDOR[type],
        name,
        version,
        qualifiers: { arch: architecture },
      })
    case 'rpm': {
      const { epoch, rest = version } = /^(?<epoch>\d+):(?<rest>.*)$/s.exec(version)?.groups ?? {}
      return format({
        type,
        namespace: distribution ?? VENDOR[type],
        name,
        version: rest,
        qualifiers: { arch: architecture, epoch },
      })
    }
    case 'npm': {
      const slash = name.startsWith('@') ? name.indexOf('/') : -1
      return format({
        type,
        namespace: name.slice(0, Math.max(0, slash)),
        name: name.slice(slash + 1),
        version,
      })
    }
    case 'pypi':
      return format({ type, name: name.toLowerCase().replaceAll('_', '-'), version })
    case 'composer': {
      const slash = name.lastIndexOf('/')
      const [vendor, project] = [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)]
      return format({ type, namespace: vendor.toLowerCase(), name: project.toLowerCase(), version })
    }
    case 'gem':
      return format({ type, name, version, qualifiers: { platform: architecture } })
  }
}

type Parts = {
  readonly type: string
  readonly namespace?: string | undefined
  readonly name: string
  readonly version: string
  readonly qualifiers?: Readonly<Record<string, string | undefined>>
}

function format({ type, namespace, name, version, qualifiers = {} }: Parts): string {
  const given = Object.fromEntries(
    Object.entries(qualifiers).filter((pair): pair is [string, string] => !!pair[1]),
  )
  try {
    return new PackageURL(
      type,
      namespace || undefined,
      name,
      version || undefined,
      given,
      undefined,
    ).toString()
  } catch {
    // An image can contain a name that its type's rules forbid; it is shown unchanged.
    const parts = [type, ...(namespace ? [namespace] : []), name].map((part) =>
      encodeURIComponent(part.toWellFormed()),
    )
    return `pkg:${parts.join('/')}${version && `@${encodeURIComponent(version.toWellFormed())}`}`
  }
}
