/** Jobs as stored in Redis: encrypted with the servers' key, since a job contains its caller's credentials. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { SharedJob } from './queue-messages.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

export class EncryptedJobs {
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

  /** @param name of this job; the contents of another are refused under it */
  encrypt(job: SharedJob, name: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#contents, nonce).setAAD(Buffer.from(name))
    const encrypted = Buffer.concat([cipher.update(JSON.stringify(job), 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64')
  }

  /** @throws Error if it was encrypted with another key or for another name, or was changed */
  decrypt(text: string, name: string): SharedJob {
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
