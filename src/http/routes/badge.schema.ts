import { z } from '@hono/zod-openapi'
import { count, text } from '../openapi/fields.ts'

/** https://shields.io/badges/endpoint-badge */
export const badgeSchema = z
  .strictObject({
    schemaVersion: z.literal(1).openapi({ description: 'Always 1.', example: 1 }),
    label: text('Left half', 'image size'),
    message: text('Right half', '85.4 MB'),
    color: text('Colour of the right half', 'blue').optional(),
    labelColor: text('Colour of the left half', 'grey').optional(),
    isError: z
      .boolean()
      .optional()
      .openapi({ description: 'True if the badge shows an error.', example: false }),
    namedLogo: text('Name of a logo of shields.io', 'docker').optional(),
    logoSvg: text('A logo as SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>').optional(),
    logoColor: text("The logo's colour", 'white').optional(),
    logoSize: text("The logo's size", 'auto').optional(),
    style: text('The style', 'flat').optional(),
    cacheSeconds: count('Seconds to cache it', 300).optional(),
  })
  .openapi('Badge', { description: 'A badge for the endpoint of shields.io.' })
