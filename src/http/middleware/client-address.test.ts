import { expect, test } from 'vitest'
import { clientAddress } from './client-address.ts'

const PROXIES = ['10.0.0.0/8', 'fd00::/8']

test.each<[string, string, Record<string, string>, string]>([
  ['no header', '10.0.0.1', {}, '10.0.0.1'],
  ['a client that is no proxy', '192.0.2.9', { 'x-forwarded-for': '198.51.100.1' }, '192.0.2.9'],
  ['one proxy', '10.0.0.1', { 'x-forwarded-for': '198.51.100.1' }, '198.51.100.1'],
  [
    'what the client wrote itself',
    '10.0.0.1',
    { 'x-forwarded-for': '1.1.1.1, 198.51.100.1' },
    '198.51.100.1',
  ],
  ['two proxies', '10.0.0.1', { 'x-forwarded-for': '1.1.1.1, 198.51.100.1,10.2.3.4' }, '198.51.100.1'],
  ['only proxies', '10.0.0.1', { 'x-forwarded-for': '10.0.0.3, 10.0.0.2' }, '10.0.0.3'],
  ['an address with a port', '10.0.0.1', { 'x-forwarded-for': '198.51.100.1:4711' }, '198.51.100.1'],
  ['a hidden client', '10.0.0.1', { 'x-forwarded-for': '198.51.100.1, unknown' }, '10.0.0.1'],
  ['an IPv4 address in IPv6', '::ffff:10.0.0.1', { 'x-forwarded-for': '198.51.100.1' }, '198.51.100.1'],
  ['IPv6', 'fd00::1', { 'x-forwarded-for': '2001:db8::1' }, '2001:db8::1'],
  ['Forwarded', 'fd00::1', { forwarded: 'for=1.1.1.1, for="[2001:db8::1]:80";proto=https' }, '2001:db8::1'],
  [
    'Forwarded through two',
    '10.0.0.1',
    { forwarded: 'proto=http;For=198.51.100.1;by=_x, for=10.1.1.1' },
    '198.51.100.1',
  ],
  [
    'Forwarded beside the other',
    '10.0.0.1',
    { forwarded: 'for=1.1.1.1', 'x-forwarded-for': '198.51.100.1' },
    '198.51.100.1',
  ],
  ['no address of a connection', '', { 'x-forwarded-for': '198.51.100.1' }, ''],
])('the client behind %s', (_, connected, headers, client) => {
  expect(clientAddress(connected, new Headers(headers), PROXIES)).toBe(client)
})

test('without trusted proxies only the connection counts', () => {
  expect(clientAddress('10.0.0.1', new Headers({ 'x-forwarded-for': '198.51.100.1' }), [])).toBe('10.0.0.1')
})
