/** The command in a terminal of its own, as a shell starts it: what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { processBelow } from '../../test/bench/measure.ts'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { Emulator } from '../../test/support/emulator.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { LAMINA } from '../../test/support/lamina.ts'
import { COMPILED } from '../../test/support/service.ts'

/** The shell's own settings: typed lines are echoed and edited. */
const SETTINGS = "stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo -e isig | tr '\\n' ' '"

let registry: FixtureRegistry
let folder: string
let image: string
let emulator: Emulator
let terminal: ChildProcess

/** `script` of util-linux gives a program a terminal. */
describe.runIf(process.platform === 'linux')('in a terminal', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lamina-terminal-'))
    registry = await FixtureRegistry.start()
    image = registry.push('app', 'v1', makeImage([await makeLayer([{ name: 'etc/a', content: 'a' }])]))
  })

  afterEach(async () => {
    terminal.kill('SIGKILL')
    await emulator.close()
  })

  afterAll(async () => {
    await registry.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** @param line of a shell */
  function run(line: string, env: Readonly<Record<string, string>> = {}): void {
    emulator = new Emulator({ columns: 80, rows: 24 })
    terminal = spawn('script', ['-qfec', `stty rows 24 cols 80; ${line}`, '/dev/null'], {
      env: {
        PATH: process.env.PATH,
        ...COMPILED,
        HOME: folder,
        SHELL: '/bin/sh',
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        ...env,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    terminal.stdout?.setEncoding('utf8').on('data', (text: string) => void emulator.show(text))
  }

  const explore = () => `${process.execPath} ${LAMINA} explore ${image}`

  async function sees(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await expect.poll(() => emulator.text).toContain(text)
  }

  function isGivenBack(): void {
    expect(emulator.isAlternate).toBe(false)
    expect(emulator.modes).toEqual({ mouse: 'none', isSynchronized: false, wraps: true, hasCursor: true })
  }

  test('Ctrl-Z gives the terminal to the shell, `fg` takes it again, `q` gives it back', async () => {
    run(
      `bash -mc '${explore()}; echo stopped; ${SETTINGS.replaceAll("'", '"')}; fg; echo left $?'; ${SETTINGS}`,
    )
    await sees('+ etc/')
    terminal.stdin?.write('\x1a')
    await expect
      .poll(() => emulator.written)
      .toMatch(/\[\?1049l[\s\S]*stopped\r\nisig icanon echo [\s\S]*\[\?1049h/)
    await sees('+ etc/', 'q quit')
    expect(emulator.isAlternate).toBe(true)
    terminal.stdin?.write('j')
    await sees('etc/  1 B')
    const ended = once(terminal, 'close')
    terminal.stdin?.write('q')
    await ended
    await sees('stopped', 'left 0', 'isig icanon echo')
    isGivenBack()
  })

  test('a crash leaves the terminal as it was, with the error on it', async () => {
    const crash = join(folder, 'crash.mjs')
    await writeFile(crash, 'process.on("SIGUSR2", () => { throw new Error("crashed") })')
    run(`${explore()}; echo; ${SETTINGS}`, { NODE_OPTIONS: `--import=${crash}` })
    await sees('+ etc/')
    const pid = await processBelow(terminal.pid ?? 0, 'lamina.js\0explore')
    const ended = once(terminal, 'close')
    process.kill(pid ?? 0, 'SIGUSR2')
    await ended
    await sees('Error: crashed', 'isig icanon echo')
    isGivenBack()
  })

  test.each([
    { it: 'runs', key: 'j' },
    { it: 'is stopped', key: '\x1a' },
  ])(
    'a terminal that hangs up, as that of a lost connection, ends the explorer that $it',
    async ({ key }) => {
      run(`bash -mc '${explore()}; echo stopped; cat'`)
      await sees('+ etc/')
      const pid = await processBelow(terminal.pid ?? 0, 'lamina.js\0explore')
      terminal.stdin?.write(key)
      await sees(key === 'j' ? 'etc/  1 B' : 'stopped')
      terminal.kill('SIGKILL')
      await expect.poll(() => isRunning(pid ?? 0)).toBe(false)
    },
  )

  test('an image that cannot be read leaves one line', async () => {
    run(`${explore()}-missing; echo code $?; ${SETTINGS}`)
    await once(terminal, 'close')
    await sees('image_not_found', 'code 2', 'isig icanon echo')
    isGivenBack()
  })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
