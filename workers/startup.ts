/** How a host starts: if something prevents it, one line says what. It runs on any Node, to say which one is needed. */
import type { AddressInfo } from 'node:net'
import { isTooOld, OLDEST_NODE } from './node-version.ts'

/**
 * Starts a host. A wrong setting, a busy port or an old Node ends the process with one line and exit code 1; any other error is
 * a bug and keeps its stack trace.
 */
export async function startOrExit<Started>(start: () => Promise<Started>): Promise<Started> {
  if (isTooOld(process.versions.node))
    refuse(`Lamina needs Node ${OLDEST_NODE} or newer; this is ${process.versions.node}`)
  try {
    return await start()
  } catch (error) {
    refuse(await reasonOf(error))
  }
}

/** @throws the error itself if the operator cannot fix it */
async function reasonOf(error: unknown): Promise<string> {
  const { ConfigurationError } = await import('../src/configuration.ts')
  if (error instanceof ConfigurationError) return error.message
  const { code, address, port }: NodeJS.ErrnoException & Partial<AddressInfo> =
    error instanceof Error ? error : new Error()
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${address} is in use; set PORT to another`
    case 'EACCES':
      if (port !== undefined)
        return `port ${port} needs more rights than this user has; set PORT to 1024 or higher`
      break
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST is not an address of this machine: ${process.env.HOST}`
  }
  throw error
}

function refuse(reason: string): never {
  console.error(reason)
  process.exit(1)
}
