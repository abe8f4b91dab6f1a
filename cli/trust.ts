/** `--insecure` and `--ca`: which registries to trust without the usual certificate. */
import { readFile } from 'node:fs/promises'
import { trustAlso } from '../workers/node/trust.ts'
import { Failure, systemReason } from './failure.ts'

const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i

/** Also for the threads that are started afterwards. @throws Failure if a service reads the images, or a value is wrong */
export async function trust(
  { insecure, ca }: { readonly insecure: readonly string[]; readonly ca?: string | undefined },
  { server, warn }: { readonly server: string | undefined; warn(line: string): void },
): Promise<void> {
  if (server !== undefined)
    throw new Failure(
      'usage',
      `--insecure and --ca are for registries that are read here; the settings of ${server} decide for it`,
    )
  const wrong = insecure.find((host) => !HOST.test(host))
  if (wrong !== undefined)
    throw new Failure('invalid_parameter', `--insecure must be a registry as host[:port], not ${wrong}`)
  const authorities = ca === undefined ? undefined : await certificatesIn(ca)
  trustAlso({ unverified: [...insecure], authorities })
  if (insecure.length > 0)
    warn(`the certificate of ${insecure.join(', ')} is not checked, and plain HTTP is allowed`)
}

async function certificatesIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure('input_error', `cannot read ${file}: ${systemReason(error)}`)
  })
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new Failure('input_error', `${file} has no certificate in PEM`)
}
