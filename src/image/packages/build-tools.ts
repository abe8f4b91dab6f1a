/** Packages that only a build needs: compilers, headers and build systems. */
import type { Package, PackageType } from '../report.ts'

/** A `*` is at one end. */
const NAMES: Partial<Record<PackageType, readonly string[]>> = {
  deb: ['gcc*', 'g++*', 'cpp*', 'make', 'cmake', 'build-essential', '*-dev', 'linux-libc-dev'],
  apk: ['build-base', 'gcc', 'g++', 'make', '*-dev'],
  rpm: ['gcc*', 'make', 'cmake', '*-devel'],
}

/** Debian's `gcc-14-base` is documentation that libraries need. */
const DOCUMENTATION = /^gcc-.*-base$/

export function isBuildTool({ type, name }: Pick<Package, 'type' | 'name'>): boolean {
  if (type === 'deb' && DOCUMENTATION.test(name)) return false
  return (NAMES[type] ?? []).some((pattern) => {
    if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1))
    return pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern
  })
}
