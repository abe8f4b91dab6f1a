/** In-toto statements, bare or inside what signs them. Sources: in-toto attestation v1; DSSE v1; Sigstore's bundle v0.3. */
import { z } from 'zod'
import { hasMoreParts, parseJson } from '../text/json.ts'

const MAX_PARTS = 1_000_000

const envelopeSchema = z.object({ payload: z.string() })
const bundleSchema = z.object({ dsseEnvelope: envelopeSchema })
const statementSchema = z.looseObject({ predicateType: z.string(), predicate: z.unknown() })

export type Statement = z.infer<typeof statementSchema>

export type StatementFound = {
  readonly statement: Statement
  /** As it was signed. */
  readonly bytes: Uint8Array
}

/** Undefined if there is none. */
export function statementIn(bytes: Uint8Array): StatementFound | undefined {
  const outer = parseBounded(bytes)
  const bundle = bundleSchema.safeParse(outer)
  const envelope = bundle.success ? bundle.data.dsseEnvelope : envelopeSchema.safeParse(outer).data
  const payload = envelope === undefined ? bytes : Buffer.from(envelope.payload, 'base64')
  const { data } = statementSchema.safeParse(envelope === undefined ? outer : parseBounded(payload))
  return data && { statement: data, bytes: payload }
}

/** A JSON document with a bounded number of values; undefined for anything else. */
export function parseBounded(bytes: Uint8Array): unknown {
  return hasMoreParts(bytes, MAX_PARTS) ? undefined : parseJson(bytes)
}
