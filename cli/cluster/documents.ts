/** Reads what `kubectl`, `docker compose config` and `helm template` print: JSON, or YAML of several documents. */
import { createReadStream } from 'node:fs'
import { Composer, type Document, Parser } from 'yaml'
import { hasMoreParts, parseJson } from '../../src/text/json.ts'
import { Failure, systemReason } from '../failure.ts'

const MEBIBYTE = 1024 * 1024
const MAX_BYTES = 256 * MEBIBYTE
/** Memory depends on the values more than on bytes; what `kubectl` prints has one in ten bytes at most. */
const MAX_PARTS = 32_000_000
/** The syntax tree of a document takes some seventy times as much memory until the next document begins. */
const MAX_DOCUMENT_BYTES = 32 * MEBIBYTE
const MAX_ALIASES = 100

/**
 * @param file `-` is stdin
 * @throws Failure `input_error`, `too_large`, `invalid_parameter` for what has no objects
 */
export async function readDocuments(file: string): Promise<readonly unknown[]> {
  const bytes = await readBytes(file)
  const documents = readJson(bytes, file) ?? readYaml(bytes, file)
  if (documents.some((document) => typeof document === 'object' && document !== null)) return documents
  throw unreadable(file)
}

function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file
}

function unreadable(file: string): Failure {
  return new Failure(
    'invalid_parameter',
    `${nameOf(file)} has no objects: pipe what kubectl get pods -A -o json prints, or docker compose config`,
  )
}

async function readBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      const part = Buffer.from(chunk)
      bytes += part.byteLength
      if (bytes > MAX_BYTES) throw tooLarge(file, 'more than 256 MiB')
      chunks.push(part)
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('input_error', `cannot read ${file}: ${systemReason(error)}`)
  }
  return Buffer.concat(chunks)
}

function tooLarge(file: string, what: string): Failure {
  return new Failure('too_large', `${nameOf(file)} has ${what}`)
}

function readJson(bytes: Buffer, file: string): readonly unknown[] | undefined {
  if (hasMoreParts(bytes, MAX_PARTS)) throw tooLarge(file, `more than ${MAX_PARTS} values and keys`)
  const value = parseJson(bytes)
  return value === undefined ? undefined : [value]
}

function readYaml(bytes: Buffer, file: string): readonly unknown[] {
  try {
    return Array.from(yamlDocuments(bytes, file), (document) => {
      if (document.errors.length > 0) throw unreadable(file)
      return document.toJS({ maxAliasCount: MAX_ALIASES })
    })
  } catch (error) {
    if (error instanceof Failure) throw error
    // Malformed, nested too deep, or more aliases than anybody writes by hand.
    throw unreadable(file)
  }
}

/** One at a time: only the values of those before are in memory. */
function* yamlDocuments(bytes: Buffer, file: string): Generator<Document.Parsed> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const parser = new Parser()
  const composer = new Composer({ logLevel: 'silent' })
  let begun = 0
  for (let at = 0; at < bytes.length; at += MEBIBYTE) {
    if (at - begun >= MAX_DOCUMENT_BYTES)
      throw tooLarge(file, 'a YAML document of more than 32 MiB; print it as JSON: kubectl get -o json')
    const isLast = at + MEBIBYTE >= bytes.length
    const text = decoder.decode(bytes.subarray(at, at + MEBIBYTE), { stream: !isLast })
    for (const token of parser.parse(text, !isLast)) {
      if (token.type === 'document') begun = at
      yield* composer.next(token)
    }
  }
  yield* composer.end()
}
