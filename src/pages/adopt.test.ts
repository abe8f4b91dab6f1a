import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { gateLine } from './adopt.ts'

it('fills in the gate for a shell: a tenth more than the image has, in whole megabytes', () => {
  expect(gateLine('docker.io/library/nginx:1.27', 72_000_000, 'https://lamina.example')).toBe(
    "curl -sS --fail-with-body --retry 20 --retry-max-time 1800 -G 'https://lamina.example/v1/check' " +
      "--data-urlencode 'image=docker.io/library/nginx:1.27' -d maxCompressed=80MB -d format=text",
  )
})

it('stays one word for a shell, whatever the reference', () => {
  const reference = `a'; echo "$(id)" #\``
  const words = execFileSync('sh', [
    '-c',
    `curl() { printf '%s\\n' "$@"; }; ${gateLine(reference, 1, 'http://x')}`,
  ])
  expect(words.toString().split('\n')).toContain(`image=${reference}`)
})
