/** The oldest Node that runs Lamina. Can be loaded by any Node, to say which one is needed. */

export const OLDEST_NODE = '22.19'

/** @param version like `process.versions.node` */
export function isTooOld(version: string): boolean {
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split('.').map(Number)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}
