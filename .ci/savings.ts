/**
 * Compares what advice says that an image could save with what a Dockerfile that follows it saves.
 *
 * @example node .ci/savings.ts http://127.0.0.1:8080 127.0.0.1:5600/app:v1 127.0.0.1:5600/savings/app:advised
 */
import { z } from 'zod'

const [, , base = '', before = '', after = ''] = process.argv

async function ask<T>(path: string, image: string, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(`${base}${path}?${new URLSearchParams({ image, wait: '300' })}`)
  if (!response.ok) throw new Error(`${path} of ${image}: ${response.status} ${await response.text()}`)
  return schema.parse(await response.json())
}

const Report = z.object({ size: z.object({ fileBytes: z.number() }) })
const Advice = z.object({ savings: z.object({ bytes: z.number() }) })

const [old, advised] = [await ask('/v1/report', before, Report), await ask('/v1/report', after, Report)]
const { savings } = await ask('/v1/advice', before, Advice)
const left = (await ask('/v1/advice', after, Advice)).savings
const saved = old.size.fileBytes - advised.size.fileBytes
const off = Math.abs(saved / savings.bytes - 1)
console.log(
  `advice says ${savings.bytes} bytes; ${old.size.fileBytes} became ${advised.size.fileBytes}, which saves ${saved} (${(100 * off).toFixed(2)} % off); ${left.bytes} bytes are left to save`,
)
const checks = {
  'savings within 1 %': off <= 0.01,
  'hardly anything is left': left.bytes < savings.bytes / 100,
}
for (const [what, holds] of Object.entries(checks)) if (!holds) console.log(`  FAIL savings: ${what}`)
const passed = Object.values(checks).filter(Boolean).length
console.log(`${passed} passed, ${Object.keys(checks).length - passed} failed`)
process.exit(passed === Object.keys(checks).length ? 0 : 1)
