/** Shared by the benchmarks: timing, the image under test, and the reference that reads the same bytes. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const REGISTRY = process.env.CORPUS_REGISTRY ?? '127.0.0.1:5600'

/** Seconds that `run` takes. */
export async function seconds(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await run()
  return (performance.now() - began) / 1000
}

export function best(times: readonly number[]): number {
  return Math.min(...times)
}

export function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Runs `command` in a shell and waits for it. */
export async function shell(command: string): Promise<void> {
  const child = spawn('bash', ['-o', 'pipefail', '-c', command], { stdio: ['ignore', 'ignore', 'inherit'] })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`${command}: exit ${code}`)
}

/** Whether a shell finds all of these commands. */
export async function areInstalled(...commands: readonly string[]): Promise<boolean> {
  return shell(commands.map((command) => `command -v ${command}`).join(' && ')).then(
    () => true,
    () => false,
  )
}

/** The layer blobs of an image as files, which is easiest for a reference; `done` removes them. */
export async function layerFiles(
  repository: string,
  tag: string,
): Promise<{ readonly files: readonly string[]; done(): Promise<void> }> {
  const accept = [
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ]
  const base = `http://${REGISTRY}/v2/${repository}`
  const answer = await fetch(`${base}/manifests/${tag}`, { headers: { accept: accept.join(', ') } })
  const manifest: { layers: { digest: string }[] } = await answer.json()
  const folder = await mkdtemp(join(tmpdir(), 'lamina-bench-'))
  const files: string[] = []
  for (const [index, { digest }] of manifest.layers.entries()) {
    const file = join(folder, String(index))
    const blob = await fetch(`${base}/blobs/${digest}`)
    await writeFile(file, new Uint8Array(await blob.arrayBuffer()))
    files.push(file)
  }
  return { files, done: () => rm(folder, { recursive: true, force: true }) }
}

/** Peak resident memory of a process in MB, as the kernel counts it. */
export function peakMegabytes(pid: number): Promise<number> {
  return statusMegabytes(pid, 'VmHWM')
}

/** Current resident memory of a process. */
export function residentMegabytes(pid: number): Promise<number> {
  return statusMegabytes(pid, 'VmRSS')
}

/** The sum of what a process and its descendants had at their peaks, which may be more than they ever had at once. */
export function peakMegabytesOfAll(pid: number): Promise<number> {
  return sumOfAll(pid, peakMegabytes)
}

/** Current resident memory of a process and its descendants. */
export function residentMegabytesOfAll(pid: number): Promise<number> {
  return sumOfAll(pid, residentMegabytes)
}

async function sumOfAll(pid: number, figure: (pid: number) => Promise<number>): Promise<number> {
  const below = await Promise.all((await childrenOf(pid)).map((child) => sumOfAll(child, figure)))
  return below.reduce((sum, one) => sum + one, await figure(pid))
}

async function statusMegabytes(pid: number, what: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024
}

/** CPU time that all threads of a process have used: its cost, however busy the machine is. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the name in parentheses; the 14th and 15th are user and system time in hundredths of a second.
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) / 100
}

/** The descendant of a process whose command line contains this text, if there is one. */
export async function processBelow(pid: number, command: string): Promise<number | undefined> {
  for (const child of await childrenOf(pid)) {
    const line = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')
    const found = line.includes(command) ? child : await processBelow(child, command)
    if (found !== undefined) return found
  }
  return undefined
}

async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return children.trim().split(' ').filter(Boolean).map(Number)
}

export function line(what: string, figures: Record<string, string | number>): void {
  const told = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? value.toFixed(2) : value}`,
  )
  console.log(`${what.padEnd(44)} ${told.join('   ')}`)
}
