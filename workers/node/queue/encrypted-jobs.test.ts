import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type ImageJob, jobKey } from '../../../src/job.ts'
import { NO_PROGRESS } from '../../../src/jobs/runner.ts'
import { EncryptedJobs } from './encrypted-jobs.ts'

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
  const encrypted = new EncryptedJobs(key)
  const name = encrypted.nameOf(jobKey(job))

  it('can be read by every server that has the key', () => {
    expect(new EncryptedJobs(key).nameOf(jobKey(job))).toBe(name)
    expect(new EncryptedJobs(key).decrypt(encrypted.encrypt(job, name), name)).toEqual(job)
  })

  it('reveals nothing without the key', () => {
    const text = Buffer.from(encrypted.encrypt(job, name), 'base64').toString('latin1')
    for (const word of [PASSWORD, 'bot', 'team/app']) expect(text).not.toContain(word)
    expect(() => new EncryptedJobs(randomBytes(32)).decrypt(encrypted.encrypt(job, name), name)).toThrow()
    expect(encrypted.encrypt(job, name)).not.toBe(encrypted.encrypt(job, name))
  })

  it('has a name that does not help to guess the password', () => {
    expect(new EncryptedJobs(randomBytes(32)).nameOf(jobKey(job))).not.toBe(name)
  })

  it('is rejected if it was changed or swapped for another', () => {
    const text = encrypted.encrypt(job, name)
    expect(() => encrypted.decrypt(text, encrypted.nameOf('another'))).toThrow()
    const bytes = Buffer.from(text, 'base64')
    bytes[40] = (bytes[40] ?? 0) ^ 1
    expect(() => encrypted.decrypt(bytes.toString('base64'), name)).toThrow()
    expect(() => encrypted.decrypt(text.slice(0, 20), name)).toThrow()
  })
})

describe('the end of a job in Redis', () => {
  const key = randomBytes(32)
  const encrypted = new EncryptedJobs(key)
  const end = { progress: NO_PROGRESS, place: 'registry.corp' }

  it('is believed only if a server with the key wrote it for this job', () => {
    const text = encrypted.encryptEnd(end, 'a')
    expect(new EncryptedJobs(key).decryptEnd(text, 'a')).toEqual(end)
    expect(encrypted.decryptEnd(text, 'b')).toBeUndefined()
    expect(encrypted.decryptEnd(new EncryptedJobs(randomBytes(32)).encryptEnd(end, 'a'), 'a')).toBeUndefined()
    for (const forged of [JSON.stringify(end), end, undefined, '', encrypted.encrypt(job, 'a')])
      expect(encrypted.decryptEnd(forged, 'a')).toBeUndefined()
  })
})
