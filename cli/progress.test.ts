import { describe, expect, it } from 'vitest'
import { progressLine } from './progress.ts'

const IMAGE = 'registry.example/team/application:v1'
const PROGRESS = { layers: 8, layersDone: 3, bytes: 80_000_000, bytesDone: 40_000_000 }

function drawn(columns: number, draw: (line: ReturnType<typeof progressLine>) => void): string {
  const written: string[] = []
  draw(progressLine({ columns, write: (text: string | Uint8Array) => written.push(String(text)) > 0 }))
  return written.join('').replace('\r\x1b[K', '')
}

describe('the line of progress', () => {
  it.each([80, 120, 200])('has a bar, and fits %i columns', (columns) => {
    const text = drawn(columns, (line) => line.show(IMAGE, PROGRESS))
    const [, name = '', bar = '', figures] = /^(.*?) +\[(=*>? *)\] {2}(.*)$/.exec(text) ?? []
    expect(name).toMatch(/^app.*:v1$/)
    expect(bar.trimEnd().length).toBe(Math.floor(bar.length / 2))
    expect(figures).toMatch(/^40\.0 MB\/80\.0 MB {2}\S+ MB\/s {2}3\/8 layers$/)
    expect(text.length).toBeLessThan(columns)
  })

  it('has no bar if it does not fit or the total is unknown', () => {
    for (const text of [
      drawn(50, (line) => line.show(IMAGE, PROGRESS)),
      drawn(80, (line) => line.show(IMAGE, { ...PROGRESS, bytes: 0 })),
      drawn(80, (line) => line.showSent('docker-daemon:app:dev', { bytes: 5_000_000 })),
    ])
      expect(text).not.toContain('[')
    expect(drawn(80, (line) => line.showSent('a/app.tar', { bytes: 5e6, of: 1e7 }))).toMatch(
      /^app\.tar +\[=+> +\] {2}5\.00 MB\/10\.0 MB {2}\S+ MB\/s sent$/,
    )
  })

  it('says how many of many are read', () => {
    expect(drawn(80, (line) => line.showRead('tags', { done: 34, all: 1_200 }))).toBe('34/1,200 tags')
  })

  it('does not let a name move the cursor', () => {
    const text = drawn(80, (line) => line.show('app\x1b[2Jv1', PROGRESS))
    expect(text).toMatch(/^appv1 /)
  })

  it('leaves nothing behind, and is not redrawn at every step', () => {
    const written: string[] = []
    const line = progressLine({
      columns: 80,
      write: (text: string | Uint8Array) => written.push(String(text)) > 0,
    })
    line.clear()
    expect(written).toEqual([])
    line.show(IMAGE, PROGRESS)
    line.show(IMAGE, PROGRESS)
    line.clear()
    expect(written.map((text) => text.startsWith('\r\x1b[K'))).toEqual([true, true])
    expect(written.at(-1)).toBe('\r\x1b[K')
  })
})
