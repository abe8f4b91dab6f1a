/** Jobs as stored in Redis: encrypted with the servers' key, since a job contains its caller's credentials. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { SharedJob } from './queue-messages.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

export class SealedJobs {
  readonly #names: Uint8Array
  readonly #contents: Uint8Array

  /** @param key 32 bytes, the same on all servers */
  constructor(key: Uint8Array) {
    this.#names = derive(key, 'lamina: names of jobs')
    this.#contents = derive(key, 'lamina: contents of jobs')
  }

  /**
   * A job's name in Redis. Its key contains a hash of the caller's password, which a reader of Redis could guess without the
   * servers' key.
   */
  nameOf(key: string): string {
    return createHmac('sha256', this.#names).update(key).digest('hex')
  }

  /**
   * of this job, so that another's contents cannot be put in its place @param name of this job, so that its contents cannot
   * replace another's
   */
  seal(job: SharedJob, name: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#contents, nonce).setAAD(Buffer.from(name))
    const sealed = Buffer.concat([cipher.update(JSON.stringify(job), 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
  }

  /** @throws Error if it was sealed with another key or for another name, or was changed */
  open(text: string, name: string): SharedJob {
    const bytes = Buffer.from(text, 'base64')
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', this.#contents, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(name))
      .setAuthTag(tag)
    const opened = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
    return JSON.parse(opened.toString('utf8'))
  }
}

function derive(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', purpose, KEY_BYTES))
}
