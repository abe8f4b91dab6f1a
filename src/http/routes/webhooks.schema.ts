import { z } from '@hono/zod-openapi'
import { text } from '../openapi/fields.ts'

export const notificationSchema = z.looseObject({}).openapi('Notification', {
  description: "A registry's own notification.",
  example: {
    docker_url: 'quay.io/example/app',
    name: 'app',
    namespace: 'example',
    repository: 'example/app',
    updated_tags: ['v3'],
  },
})

export const pushSchema = z
  .strictObject({
    items: z
      .array(
        z.strictObject({ image: text('The image, with its defaults filled in', 'quay.io/example/app:v3') }),
      )
      .optional()
      .openapi({ description: 'The images that will be analysed.' }),
    ignored: z
      .array(
        z.strictObject({
          image: text('The image, where one is named', 'other.example/a/b:v1').optional(),
          why: text('Why the service ignores it', 'the action is "pull", not push'),
        }),
      )
      .optional()
      .openapi({ description: 'What was ignored; at most 100 items.' }),
  })
  .openapi('Push', { description: 'What the service does about a notification.' })
