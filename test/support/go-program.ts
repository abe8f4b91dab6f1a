/** Go programs, as far as their build info goes. */
import { buildElf } from './elf.ts'

/** Frames the text of the modules. */
const FRAME = Buffer.alloc(16, 0xf9)

/** @param modules lines of the build info: `mod\tNAME\tVERSION`, `dep\tNAME\tVERSION` */
export function goProgram(version: string, modules: readonly string[], size = 0): Uint8Array {
  const text = Buffer.concat([FRAME, Buffer.from(modules.map((line) => `${line}\n`).join('')), FRAME])
  const head = Buffer.alloc(32)
  head.write('\xff Go buildinf:\x08\x02', 'latin1')
  const info = Buffer.concat([head, counted(Buffer.from(version)), counted(text)])
  return buildElf({
    sections: [
      { name: '.text', type: 1, flags: 6, data: new Uint8Array(size) },
      { name: '.go.buildinfo', type: 1, flags: 2, data: info, align: 16 },
    ],
  })
}

/** A text after its length. */
function counted(text: Uint8Array): Uint8Array {
  const length: number[] = []
  let rest = text.length
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([...length, rest]), text])
}
