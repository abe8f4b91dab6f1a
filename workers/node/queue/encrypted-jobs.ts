/**
 * Jobs and their ends as stored in Redis: encrypted with the servers' key, since a job contains its caller's credentials, and
 * callers believe what an end says.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { QueuedEnd, SharedJob } from './queue-messages.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

export class EncryptedJobs {
  readonly #names: Uint8Array
  readonly #contents: Uint8Array
  readonly #ends: Uint8Array

  /** @param key 32 bytes, the same on all servers */
  constructor(key: Uint8Array) {
    this.#names = derive(key, 'lamina: names of jobs')
    this.#contents = derive(key, 'lamina: contents of jobs')
    this.#ends = derive(key, 'lamina: ends of jobs')
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
    return encrypt(this.#contents, JSON.stringify(job), name)
  }

  /** @throws Error if it was encrypted with another key or for another name, or was changed */
  decrypt(text: string, name: string): SharedJob {
    return JSON.parse(decrypt(this.#contents, text, name))
  }

  /** How the job ended: callers are shown it, so nobody else may write it. */
  encryptEnd(end: QueuedEnd, name: string): string {
    return encrypt(this.#ends, JSON.stringify(end), name)
  }

  /** Undefined for what no server with this key has encrypted for this name. */
  decryptEnd(text: unknown, name: string): QueuedEnd | undefined {
    try {
      return typeof text === 'string' ? JSON.parse(decrypt(this.#ends, text, name)) : undefined
    } catch {
      return undefined
    }
  }
}

function encrypt(key: Uint8Array, text: string, name: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64')
}

function decrypt(key: Uint8Array, text: string, name: string): string {
  const bytes = Buffer.from(text, 'base64')
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(tag)
  const decrypted = Buffer.concat([
    decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
    decipher.final(),
  ])
  return decrypted.toString('utf8')
}

function derive(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', purpose, KEY_BYTES))
}
