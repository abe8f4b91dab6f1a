import { expect, test } from 'vitest'
import { findSecretValues, maskStep, maskValue } from './secret-values.ts'

const TOKEN = `gh${'p_'}${'a1'.repeat(18)}`

test.each([
  ['ENV DB_PASSWORD=correct horse', 'ENV DB_PASSWORD=***'],
  ['/bin/sh -c #(nop)  ENV OLD_SECRET=abc X=1', '/bin/sh -c #(nop)  ENV OLD_SECRET=*** X=1'],
  ['RUN |2 A_TOKEN=two words B=x /bin/sh -c make', 'RUN |2 A_TOKEN=*** B=x /bin/sh -c make'],
  [
    "RUN /bin/sh -c export API_KEY='a b' && x --password=c -e 1; (T_TOKEN=d run)",
    'RUN /bin/sh -c export API_KEY=*** && x --password=*** -e 1; (T_TOKEN=*** run)',
  ],
  ['RUN git clone https://ci:abc@example.com/r', 'RUN git clone https://ci:***@example.com/r'],
  [`RUN curl -H "Authorization: ${TOKEN}"`, 'RUN curl -H "Authorization: ghp_***"'],
  ['CMD ["app" "--token=abc"]', 'CMD ["app" "--token=***"]'],
])('a step shows no secret: %s', (step, masked) => {
  expect(maskStep(step)).toBe(masked)
})

test.each([
  'RUN PASSWORD=$PW make && TOKEN="$(cat /run/secrets/t)" run --mount=type=secret,id=token,target=/x',
  'ENV PASSWORD_FILE=/run/secrets/db TOKEN_TTL=3600 USE_TOKEN=True KEYBOARD=us',
  'RUN curl https://example.com/token',
])('what is no secret stays: %s', (step) => {
  expect(maskStep(step)).toBe(step)
})

test('a value is a secret by its name or by its form', () => {
  expect(maskValue('My-Credentials', 'abc')).toBe('***')
  expect(maskValue('X', `-v ${TOKEN}`)).toBe('-v ghp_***')
  expect(maskValue('DB', 'redis://:abc@db/0')).toBe('redis://:***@db/0')
  expect(maskValue('KEY_API', 'abc')).toBe('abc')
})

test('a value of the environment that a step set is one item, which names the step', () => {
  const history = [
    { createdBy: 'ENV A_TOKEN=abc', emptyLayer: true },
    { createdBy: 'ARG B_TOKEN=xyz', emptyLayer: true },
  ]
  const found = findSecretValues({ env: ['A_TOKEN=abc', 'C=1'], labels: {} }, history)
  expect(found.map(({ mark: _, ...shown }) => shown)).toEqual([
    { kind: 'environment', name: 'A_TOKEN', createdBy: 'ENV A_TOKEN=***' },
    { kind: 'history', name: 'B_TOKEN', createdBy: 'ARG B_TOKEN=***' },
  ])
  expect(JSON.stringify(found)).not.toMatch(/abc|xyz/)
})
