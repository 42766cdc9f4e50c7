/// `lapel config show`: every key with its value, unit and origin.
public struct ConfigurationListing: Sendable {
  public struct Row: Hashable, Sendable {
    public var key: String
    public var value: ConfigurationValue
    public var unit: String?
    public var origin: ConfigurationOrigin
  }

  /// In the schema's order.
  public let rows: [Row]

  public init(_ configuration: LoadedConfiguration) {
    rows = ConfigurationSchema.keys.map { key in
      Row(
        key: key.path, value: key.read(configuration.values), unit: key.unit, origin: configuration.origin(of: key.path)
      )
    }
  }

  /// Aligned columns under a line of headings; ends with a newline.
  public var table: String {
    let cells =
      [["KEY", "VALUE", "UNIT", "ORIGIN"]]
      + rows.map { [$0.key, $0.value.literal, $0.unit ?? "", $0.origin.description] }
    let widths = (0..<4).map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.map { cell in
      let padded = zip(cell, widths).dropLast().map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return (padded + cell.suffix(1)).joined(separator: "  ") + "\n"
    }.joined()
  }

  /// A JSON array with one object a key: `key`, `value`, `unit` (or null), `layer`
  /// (`built-in`, `board`, `file`, `command-line`), `name` and `line` (null outside files); ends with a newline.
  public var json: String {
    "[\n" + rows.map { "  " + Self.object($0) }.joined(separator: ",\n") + "\n]\n"
  }

  private static func object(_ row: Row) -> String {
    let (name, line): (String, String) =
      switch row.origin {
      case .builtIn, .commandLine: ("null", "null")
      case .boardProfile(let name, let line), .file(let name, let line): (name.quoted, String(line))
      }
    return "{\"key\": \(row.key.quoted), \"value\": \(row.value.literal), \"unit\": \(row.unit?.quoted ?? "null"), "
      + "\"layer\": \(row.origin.layerName.quoted), \"name\": \(name), \"line\": \(line)}"
  }
}
