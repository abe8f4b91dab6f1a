/** Whom this process trusts over TLS besides the certificate authorities of its system, on all threads started from now on. */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { z } from 'zod'

const NAME = 'trust over TLS'

const trustSchema = z.object({
  /** Certificates in PEM. */
  authorities: z.string().optional(),
  /** `host[:port]` whose certificate is not checked. */
  unverified: z.array(z.string()),
})

export type Trust = z.output<typeof trustSchema>

export function trustAlso(trust: Trust): void {
  setEnvironmentData(NAME, trust)
}

export function trustedAlso(): Trust | undefined {
  return trustSchema.safeParse(getEnvironmentData(NAME)).data
}
