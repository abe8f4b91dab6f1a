/** What registries send when an image is pushed, and what they get back. */
import { z } from '@hono/zod-openapi'
import { text } from '../openapi/fields.ts'

export const notificationSchema = z.looseObject({}).openapi('Notification', {
  description: "A registry's own notification.",
})

export const pushSchema = z
  .strictObject({
    items: z.array(z.strictObject({ image: text('With its defaults filled in') })).optional(),
    ignored: z
      .array(
        z.strictObject({
          image: text().optional(),
          why: text(),
        }),
      )
      .optional()
      .openapi({ description: 'At most 100.' }),
  })
  .openapi('Push', { description: 'What the service does about a notification.' })
