import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pastedReference } from './pasted.ts'

test.each([
  ['https://hub.docker.com/_/nginx', 'nginx'],
  ['https://hub.docker.com/_/nginx/tags?name=1.27', 'nginx:1.27'],
  ['https://hub.docker.com/r/grafana/grafana/', 'grafana/grafana'],
  [
    'https://hub.docker.com/layers/library/nginx/1.27/images/sha256-abc?context=explore',
    'library/nginx:1.27',
  ],
  ['https://github.com/Owner/app/pkgs/container/app', 'ghcr.io/owner/app'],
  ['https://github.com/owner/app/pkgs/container/app%2Fweb/123?tag=v1', 'ghcr.io/owner/app/web:v1'],
  ['https://github.com/orgs/owner/packages/container/package/app', 'ghcr.io/owner/app'],
  [
    'https://quay.io/repository/prometheus/node-exporter?tab=tags&tag=latest',
    'quay.io/prometheus/node-exporter:latest',
  ],
  ['http://host/a:b', 'http://host/a:b'],
  ['https://ghcr.io/owner/app:v1', 'https://ghcr.io/owner/app:v1'],
  ['docker pull nginx:1.27', 'nginx:1.27'],
  ['$ sudo docker image pull -q --platform linux/arm64 nginx', 'nginx'],
  ['podman pull quay.io/a/b', 'quay.io/a/b'],
  ['oci://registry.example/charts/app:1.0', 'oci://registry.example/charts/app:1.0'],
  [' nginx:1.27 ', 'nginx:1.27'],
  ['localhost:5000/app', 'localhost:5000/app'],
  ['docker push nginx', 'docker push nginx'],
  ['docker pull --platform linux/arm64 --quiet nginx', 'nginx'],
  ['docker pull --platform=linux/arm64 nginx', 'nginx'],
])('%s', (pasted, reference) => {
  expect(pastedReference(pasted)).toBe(reference)
})

test('no command takes long to parse', () => {
  for (const option of ['--platform=a ', '--platform a ', '--platform -q ', '-q '])
    expect(pastedReference(`docker pull ${option.repeat(60)}-`)).toMatch(/^docker pull /)
})

test('any other text is left unchanged', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/^\s*(?:https?:|oci:|\$|sudo|docker|podman|nerdctl)/i.test(text))
      expect(pastedReference(text)).toBe(text.trim())
    }),
  )
})

/** With alternatives that match the same text, the time doubled with each option: this would never finish. */
test.each(['--platform=x ', '--platform -a ', '--platform x '])(
  'parsing a command of nothing but options terminates: %j',
  { timeout: 30_000 },
  (option) => {
    const text = `docker pull ${option.repeat(1_000)}-`
    expect(pastedReference(text)).toBe(text)
  },
)
