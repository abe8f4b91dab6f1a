import { createHash } from 'node:crypto'
import type { RuleVerdict } from '../gate/verdict.ts'
import type { ImageIdentity } from '../image/report.ts'

/**
 * What makes a failing rule the same one after a rebuild: the rule, its glob, the repository and the file that is
 * pointed at; neither tag, digest nor figures.
 *
 * @returns 64 hexadecimal digits, of their own for each rule of a verdict
 */
export function fingerprintOf(rule: RuleVerdict, image: ImageIdentity, file: string): string {
  const glob = typeof rule.limit === 'string' ? rule.limit : ''
  const parts = [rule.rule, glob, image.registry ?? image.transport, image.repository ?? '', file]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
