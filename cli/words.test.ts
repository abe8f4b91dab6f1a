import { expect, test } from 'vitest'
import { commandWords } from './words.ts'

const CERTIFICATE =
  'could not read r.example/a:v1: could not connect to r.example: its certificate is not trusted; add its CA to NODE_EXTRA_CA_CERTS'

test.each([
  [
    { detail: 'ghcr.io requires credentials for ghcr.io/o/app:v1; check the name, or send credentials' },
    'ghcr.io requires credentials for ghcr.io/o/app:v1; check the name, or run `docker login ghcr.io`',
  ],
  [
    {
      detail:
        'docker.io requires credentials for docker.io/o/a:v1; check the name, or send credentials (denied)',
    },
    'docker.io requires credentials for docker.io/o/a:v1; check the name, or run `docker login` (denied)',
  ],
  [
    { detail: 'no rule given; the rules are maxCompressed, deny' },
    'no rule given; give one of --max-compressed, --deny',
  ],
  [{ detail: 'limit must be a whole number', parameter: 'limit' }, '--limit must be a whole number'],
  [{ detail: 'platform: "x" is not os/arch', parameter: 'platform' }, '--platform: "x" is not os/arch'],
  [{ detail: 'there is no layer 9', parameter: 'layer' }, 'there is no layer 9'],
  [
    { detail: CERTIFICATE },
    'could not read r.example/a:v1: could not connect to r.example: its certificate is not trusted; name the file of its CA with --ca FILE, or skip the check with --insecure r.example',
  ],
  [
    {
      detail:
        'could not connect to r.example: its certificate is for another name; use a name that the certificate lists',
    },
    'could not connect to r.example: its certificate is for another name; use a name that the certificate lists, or skip the check with --insecure r.example',
  ],
  [
    {
      detail:
        'could not connect to r.example:5000: it does not speak TLS; to allow plain HTTP, add it to LAMINA_INSECURE_REGISTRIES: LAMINA_INSECURE_REGISTRIES=r.example:5000',
    },
    'could not connect to r.example:5000: it does not speak TLS; allow plain HTTP with --insecure r.example:5000',
  ],
])('%j', (told, words) => {
  expect(commandWords(told, 'command')).toBe(words)
})

test('the settings of a service are told as they are', () => {
  expect(commandWords({ detail: CERTIFICATE }, 'service')).toBe(CERTIFICATE)
})
