import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type ImageJob, jobKey } from '../../../src/job.ts'
import { SealedJobs } from './sealed-jobs.ts'

const PASSWORD = 'correct horse battery staple'
const job: ImageJob = {
  kind: 'image',
  source: {
    kind: 'registry',
    registry: 'registry.corp',
    repository: 'team/app',
    credential: { username: 'bot', password: PASSWORD },
  },
  digest: `sha256:${'a'.repeat(64)}`,
}

describe('a job in Redis', () => {
  const key = randomBytes(32)
  const sealed = new SealedJobs(key)
  const name = sealed.nameOf(jobKey(job))

  it('can be read by every server that has the key', () => {
    expect(new SealedJobs(key).nameOf(jobKey(job))).toBe(name)
    expect(new SealedJobs(key).open(sealed.seal(job, name), name)).toEqual(job)
  })

  it('reveals nothing without the key', () => {
    const text = Buffer.from(sealed.seal(job, name), 'base64').toString('latin1')
    for (const word of [PASSWORD, 'bot', 'team/app']) expect(text).not.toContain(word)
    expect(() => new SealedJobs(randomBytes(32)).open(sealed.seal(job, name), name)).toThrow()
    expect(sealed.seal(job, name)).not.toBe(sealed.seal(job, name))
  })

  it('has a name that does not help to guess the password', () => {
    expect(new SealedJobs(randomBytes(32)).nameOf(jobKey(job))).not.toBe(name)
  })

  it('is rejected if it was changed or swapped for another', () => {
    const text = sealed.seal(job, name)
    expect(() => sealed.open(text, sealed.nameOf('another'))).toThrow()
    const bytes = Buffer.from(text, 'base64')
    bytes[40] = (bytes[40] ?? 0) ^ 1
    expect(() => sealed.open(bytes.toString('base64'), name)).toThrow()
    expect(() => sealed.open(text.slice(0, 20), name)).toThrow()
  })
})
