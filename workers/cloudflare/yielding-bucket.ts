/**
 * A bucket for Miniflare, where R2 is in the same thread as the Worker: many who read and write at once always have an event
 * waiting, and workerd accepts connections only when none is. So each operation first waits until nothing else does.
 */
import { yieldToRequests } from '../../src/concurrency.ts'
import type { R2Bucket } from './r2-store.ts'

export function yieldingBucket(bucket: R2Bucket): R2Bucket {
  // A timer per operation: a request may not wait for that of another, which may be cancelled.
  const later = async <T>(operation: () => Promise<T>): Promise<T> => {
    await yieldToRequests()
    return operation()
  }
  return {
    head: (key) => later(() => bucket.head(key)),
    get: (key, options) => later(() => bucket.get(key, options)),
    put: (key, body) => later(() => bucket.put(key, body)),
    delete: (key) => later(() => bucket.delete(key)),
    list: (options) => later(() => bucket.list(options)),
    async createMultipartUpload(key) {
      const upload = await later(() => bucket.createMultipartUpload(key))
      return {
        uploadPart: (part, body) => later(() => upload.uploadPart(part, body)),
        complete: (parts) => later(() => upload.complete(parts)),
        abort: () => later(() => upload.abort()),
      }
    },
  }
}
