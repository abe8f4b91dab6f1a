/** Scans a tar and returns everything at once. */
import type { Member } from '../../src/tar/member.ts'
import { type ScanLimits, TarScanner } from '../../src/tar/scan.ts'

export type Scanned = { readonly member: Member; readonly content: string }

const UNLIMITED: ScanLimits = {
  bytes: { bytes: 2 ** 50, setting: 'LAMINA_MAX_LAYER_BYTES' },
  entries: 2 ** 40,
}

/** @param cuts sizes of the chunks, repeated; one chunk if there are none */
export function scanTar(
  tar: Uint8Array,
  options: { readonly cuts?: readonly number[]; readonly limits?: Partial<ScanLimits> } = {},
): Scanned[] {
  const scanner = new TarScanner({ ...UNLIMITED, ...options.limits })
  const found: Scanned[] = []
  let content: Uint8Array[] = []
  for (const chunk of cut(tar, options.cuts ?? [tar.length])) {
    scanner.feed(chunk)
    for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
      if (event === 'content') content.push(Uint8Array.from(scanner.content))
      if (event !== 'end') continue
      found.push({ member: scanner.member, content: Buffer.concat(content).toString('latin1') })
      content = []
    }
  }
  scanner.finish()
  return found
}

export function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(sizes[i % sizes.length] ?? 1, 1)
    yield bytes.subarray(at, at + size)
    at += size
  }
}
