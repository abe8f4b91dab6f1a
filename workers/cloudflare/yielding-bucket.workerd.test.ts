import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { describeObjectStore, storeBelow } from '../../test/support/object-store.ts'
import { type R2Bucket, R2Store } from './r2-store.ts'
import { yieldingBucket } from './yielding-bucket.ts'

let opened = 0

describeObjectStore('R2Store on a bucket that yields', async () => {
  const store = new R2Store(yieldingBucket(env.BUCKET), { pieceBytes: 700_001 })
  return storeBelow(store, `yielding-${opened++}/`)
})

/** The names of the operations that reach this bucket. */
function recording(): { readonly bucket: R2Bucket; readonly begun: string[] } {
  const begun: string[] = []
  const nothing = async (name: string) => {
    begun.push(name)
    return null
  }
  const bucket: R2Bucket = {
    head: () => nothing('head'),
    get: () => nothing('get'),
    put: () => nothing('put'),
    delete: async () => void nothing('delete'),
    list: async () => {
      begun.push('list')
      return { objects: [], truncated: false }
    },
    createMultipartUpload: async () => {
      begun.push('createMultipartUpload')
      return {
        uploadPart: () => nothing('uploadPart'),
        complete: () => nothing('complete'),
        abort: async () => void nothing('abort'),
      }
    },
  }
  return { bucket, begun }
}

test('each operation lets the events go first that wait already', async () => {
  const { bucket, begun } = recording()
  const yielding = yieldingBucket(bucket)
  const upload = await yielding.createMultipartUpload('large')
  const bytes = new Uint8Array(1)
  const operations = {
    head: () => yielding.head('key'),
    get: () => yielding.get('key'),
    put: () => yielding.put('key', bytes),
    delete: () => yielding.delete('key'),
    list: () => yielding.list({ prefix: '' }),
    createMultipartUpload: () => yielding.createMultipartUpload('key'),
    uploadPart: () => upload.uploadPart(1, bytes),
    complete: () => upload.complete([]),
    abort: () => upload.abort(),
  }
  for (const [name, operation] of Object.entries(operations)) {
    begun.length = 0
    const waiting = new Promise((resolve) => setTimeout(() => resolve([...begun])))
    await operation()
    expect(await waiting, name).toEqual([])
    expect(begun).toEqual([name])
  }
})
