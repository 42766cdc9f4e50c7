/// A JSON value (RFC 8259) to be written; members keep their order.
enum JSON: CustomStringConvertible {
  case null
  case bool(Bool)
  case number(Int64)
  /// Written with three decimals.
  case decimal(Double)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  init(_ value: String?) { self = value.map { .string($0) } ?? .null }
  init(_ value: Int64?) { self = value.map { .number($0) } ?? .null }

  var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): String(value)
    case .decimal(let value): value.isFinite ? String((value * 1_000).rounded() / 1_000) : "null"
    case .string(let value): Self.quoted(value)
    case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { "\(Self.quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
