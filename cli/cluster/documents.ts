/** Reads what `kubectl`, `docker compose config` and `helm template` print: JSON, or YAML of several documents. */
import { createReadStream } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { parseJson } from '../../src/text/json.ts'
import { Failure, systemReason } from '../failure.ts'

const MAX_BYTES = 256 * 1024 * 1024
/** Its syntax tree takes some fifty times as much memory. Only JSON is ever as large: `kubectl get -o json`. */
const MAX_YAML_BYTES = 32 * 1024 * 1024
const MAX_ALIASES = 100

/**
 * @param file `-` is stdin
 * @throws Failure `input_error`, `too_large`, `invalid_parameter` for what has no objects
 */
export async function readDocuments(file: string): Promise<readonly unknown[]> {
  const bytes = await readBytes(file)
  const json = parseJson(bytes)
  const documents = json === undefined ? readYaml(bytes, file) : [json]
  if (documents.some((document) => typeof document === 'object' && document !== null)) return documents
  throw unreadable(file)
}

function unreadable(file: string): Failure {
  const name = file === '-' ? 'stdin' : file
  return new Failure(
    'invalid_parameter',
    `${name} has no objects: pipe what kubectl get pods -A -o json prints, or docker compose config`,
  )
}

async function readBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      const part = Buffer.from(chunk)
      bytes += part.byteLength
      if (bytes > MAX_BYTES) throw tooLarge(file, MAX_BYTES)
      chunks.push(part)
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('input_error', `cannot read ${file}: ${systemReason(error)}`)
  }
  return Buffer.concat(chunks)
}

function tooLarge(file: string, bytes: number): Failure {
  return new Failure('too_large', `${file} has more than ${bytes / 1024 / 1024} MiB`)
}

function readYaml(bytes: Buffer, file: string): readonly unknown[] {
  if (bytes.byteLength > MAX_YAML_BYTES) throw tooLarge(file, MAX_YAML_BYTES)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return [...parseAllDocuments(text, { logLevel: 'silent' })].map((document) => {
      if (document.errors.length > 0) throw unreadable(file)
      return document.toJS({ maxAliasCount: MAX_ALIASES })
    })
  } catch {
    // Malformed, nested too deep, or more aliases than anybody writes by hand.
    throw unreadable(file)
  }
}
