import { z } from '@hono/zod-openapi'
import { count, text } from '../openapi/fields.ts'

/** https://shields.io/badges/endpoint-badge */
export const badgeSchema = z
  .strictObject({
    schemaVersion: z.literal(1).openapi({ description: 'Always 1.', example: 1 }),
    label: text('What the figure is of', 'image size'),
    message: text('The figure', '85.4 MB'),
    color: text("The figure's colour", 'blue').optional(),
    labelColor: text("The label's colour", 'grey').optional(),
    isError: z
      .boolean()
      .optional()
      .openapi({ description: 'Whether the badge tells of an error.', example: false }),
    namedLogo: text('A logo that shields.io knows', 'docker').optional(),
    logoSvg: text('A logo as SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>').optional(),
    logoColor: text("The logo's colour", 'white').optional(),
    logoSize: text("The logo's size", 'auto').optional(),
    style: text('The style', 'flat').optional(),
    cacheSeconds: count('Seconds that it may be kept', 300).optional(),
  })
  .openapi('Badge', { description: 'An endpoint of shields.io.' })
