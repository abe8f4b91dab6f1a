/** Names that resolve to addresses of this machine, for one process: in a mount namespace with its own `/etc/hosts`. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

const ALONE = ['unshare', '--mount', 'sh', '-c']

/** Whether this user may make namespaces. */
export function canNameHosts(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '--bind', '/etc/hosts', '/etc/hosts'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * @param hosts addresses by name
 * @param file is written; the process sees it as `/etc/hosts`
 * @returns the command that runs `command` with these names
 */
export function withHosts(
  command: readonly string[],
  hosts: Readonly<Record<string, string>>,
  file: string,
): readonly string[] {
  const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}\n`)
  writeFileSync(file, `127.0.0.1 localhost\n${lines.join('')}`)
  return [...ALONE, `mount --bind "$0" /etc/hosts && exec "$@"`, file, ...command]
}
