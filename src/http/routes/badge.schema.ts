/** The badge as the JSON that shields.io draws it from. */
import { z } from '@hono/zod-openapi'
import { int, text } from '../openapi/fields.ts'

/** https://shields.io/badges/endpoint-badge */
export const badgeSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    label: text(),
    message: text(),
    color: text().optional(),
    labelColor: text().optional(),
    isError: z.boolean().optional(),
    namedLogo: text().optional(),
    logoSvg: text().optional(),
    logoColor: text().optional(),
    logoSize: text().optional(),
    style: text().optional(),
    cacheSeconds: int().optional(),
  })
  .openapi('Badge', { description: 'A badge for the endpoint of shields.io.' })
