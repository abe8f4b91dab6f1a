/** What benchmarks share: timing, the image under test, and the reference that reads the same bytes. */
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

/** The layers' blobs of an image as files, smallest trouble for a reference; removed by `done`. */
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
export async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024
}

/** The process that runs workerd for this one, if there is one. */
export async function workerdPid(): Promise<number | undefined> {
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')
  for (const pid of children.trim().split(' ')) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('workerd')) return Number(pid)
  }
  return undefined
}

export function line(what: string, figures: Record<string, string | number>): void {
  const told = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? value.toFixed(2) : value}`,
  )
  console.log(`${what.padEnd(44)} ${told.join('   ')}`)
}
