extension RecorderConfiguration {
  /// The values in effect as one text that is the same wherever they come from: what the configuration's hash is
  /// made over. One line a key, `section.key = value`, in byte order of the keys; it is TOML and loads again.
  public var canonicalText: String {
    ConfigurationSchema.keys.map { "\($0.path) = \($0.read(self).literal)\n" }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      .joined()
  }
}

extension ConfigurationSchema {
  /// `config/lapel.toml`: every key with its meaning, allowed values, unit and default, all commented out.
  public static var documentedFile: String {
    let head = """
      # The settings of Lapel, each at its default. To change one, take away the "#" before it.
      #
      # Later layers win, key by key: built-in, the board's profile, this file, --set section.key=value.
      # "lapel config show" prints what is in effect and where it comes from; "lapel config check FILE" checks a file.

      """
    return head
      + sections.map { section in
        "\n[\(section)]\n"
          + keys.filter { $0.section == section }.map { key in
            let unit = key.unit.map { "  # \($0)" } ?? ""
            return
              "# \(key.meaning)\n# Allowed: \(key.allowedText).\n# \(key.name) = \(key.defaultValue.literal)\(unit)\n"
          }.joined(separator: "\n")
      }.joined()
  }
}
