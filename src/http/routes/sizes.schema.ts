/** `/v1/sizes`: the shape of `storage/tool-sizes.ts`, described. */
import { z } from '@hono/zod-openapi'
import { TOOLS } from '../../storage/tool-sizes.ts'
import { int, text } from '../openapi/fields.ts'
import { identitySchema } from './report.schema.ts'

export const toolSizeSchema = z
  .strictObject({
    tool: z.enum(TOOLS),
    what: text('Its command'),
    bytes: int('Absent if it is not known').optional(),
    exact: z.boolean(),
    explanation: text(),
  })
  .openapi('ToolSize')

export const sizesSchema = z
  .strictObject({ image: identitySchema, items: z.array(toolSizeSchema) })
  .openapi('ToolSizes')
