/** `ObjectStore` on any S3 bucket. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Configuration } from '../../../src/configuration.ts'
import type { ByteRange, ObjectStore, StoredObject } from '../../../src/host.ts'
import { Problem } from '../../../src/problem.ts'
import { inParts } from '../../parts.ts'

/** S3 takes parts of 5 MiB and more; some implementations require equal sizes. */
const PART_BYTES = 5 * 1024 * 1024
const CONNECT_MILLISECONDS = 5_000
/** How long a connection may be idle: then an attempt ends, or a read is aborted. */
const SILENT_MILLISECONDS = 10_000
const ATTEMPTS = 3

export class S3Store implements ObjectStore {
  readonly #client: S3Client
  readonly #bucket: string

  /**
   * Keys and region as the AWS SDK finds them: environment, shared files, instance roles.
   *
   * @param silentMilliseconds how long a connection may be silent
   */
  constructor(settings: NonNullable<Configuration['s3']>, silentMilliseconds = SILENT_MILLISECONDS) {
    this.#bucket = settings.bucket
    this.#client = new S3Client({
      region: settings.region,
      ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint, forcePathStyle: true }),
      maxAttempts: ATTEMPTS,
      // Some implementations reject checksums beyond those that S3 requires.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_MILLISECONDS, socketTimeout: silentMilliseconds },
    })
  }

  async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    try {
      const answer = await this.#client.send(
        new GetObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          ...(range === undefined ? {} : { Range: rangeHeader(range) }),
        }),
      )
      const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1]
      const size = total === undefined ? (answer.ContentLength ?? 0) : Number(total)
      return { size, body: answer.Body === undefined ? new Blob([]).stream() : bodyOf(answer.Body) }
    } catch (error) {
      if (isMissing(error)) return undefined
      if (statusOf(error) === 416) return this.#nothing(key)
      throw unavailable(error)
    }
  }

  async has(key: string): Promise<boolean> {
    return (await this.#size(key)) !== undefined
  }

  async put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    const target = { Bucket: this.#bucket, Key: key }
    if (body instanceof Uint8Array) {
      await this.#send(new PutObjectCommand({ ...target, Body: body }))
      return
    }
    const parts = inParts(body, PART_BYTES)
    const first = await parts.next()
    const second = first.done ? first : await parts.next()
    if (first.done || second.done) {
      await this.#send(new PutObjectCommand({ ...target, Body: first.value ?? new Uint8Array(0) }))
      return
    }
    const { UploadId } = await this.#send(new CreateMultipartUploadCommand(target))
    const upload = { ...target, UploadId }
    try {
      const uploaded: { ETag: string | undefined; PartNumber: number }[] = []
      const send = async (part: Uint8Array) => {
        const PartNumber = uploaded.length + 1
        const { ETag } = await this.#send(new UploadPartCommand({ ...upload, PartNumber, Body: part }))
        uploaded.push({ ETag, PartNumber })
      }
      await send(first.value)
      await send(second.value)
      for await (const part of parts) await send(part)
      await this.#send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: uploaded } }),
      )
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
      throw error
    }
  }

  async delete(key: string): Promise<void> {
    await this.#send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }))
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: this.#bucket, Prefix: prefix })
    try {
      for await (const page of pages) {
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key
      }
    } catch (error) {
      throw unavailable(error)
    }
  }

  /** The requested range contains no byte of the object. */
  async #nothing(key: string): Promise<StoredObject | undefined> {
    const size = await this.#size(key)
    return size === undefined ? undefined : { size, body: new Blob([]).stream() }
  }

  async #size(key: string): Promise<number | undefined> {
    try {
      const head = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }))
      return head.ContentLength ?? 0
    } catch (error) {
      if (isMissing(error)) return undefined
      throw unavailable(error)
    }
  }

  readonly #send: S3Client['send'] = async (command: never) => {
    try {
      return await this.#client.send(command)
    } catch (error) {
      throw unavailable(error)
    }
  }
}

/** A read that is cut off is the store's failure, not its reader's. */
function bodyOf(body: { transformToWebStream(): ReadableStream }): ReadableStream<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.transformToWebStream().getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { value } = await reader.read()
          if (value === undefined) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          throw unavailable(error)
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function rangeHeader(range: ByteRange): string {
  return 'suffix' in range
    ? `bytes=-${range.suffix}`
    : `bytes=${range.offset}-${range.offset + range.length - 1}`
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
}

function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchKey' || statusOf(error) === 404)
}

/** The store's error, without its addresses and keys. */
function unavailable(error: unknown): Problem {
  const reason = error instanceof Error ? error.name : 'error'
  return new Problem('store_error', `the object store returned an error (${reason})`, {
    retryAfter: 5,
  })
}
