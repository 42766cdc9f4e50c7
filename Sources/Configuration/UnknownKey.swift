/// A key or section that the schema does not have, and what was probably meant.
struct UnknownKey {
  /// `section.key`, or one name alone at the top of a file.
  let path: String

  init(_ path: String) { self.path = path }

  func problem(place: String) -> ConfigurationProblem {
    let parts = path.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let section = parts.first ?? ""
    let hint = nearest.map { "; did you mean \($0)?" } ?? ""
    if parts.count == 2, ConfigurationSchema.sections.contains(section) {
      let names = ConfigurationSchema.keys.filter { $0.section == section }.map(\.name).joined(separator: ", ")
      return ConfigurationProblem(
        place: place, keys: [path], text: "unknown key\(hint)", allowed: "in [\(section)] \(names)")
    }
    return ConfigurationProblem(
      place: place, keys: [path], text: "unknown \(parts.count == 2 ? "key" : "section")\(hint)",
      allowed: "the sections \(ConfigurationSchema.sections.joined(separator: ", "))")
  }

  /// The known key or section that differs least; nil if none is near.
  var nearest: String? {
    let name = path.split(separator: ".").last.map(String.init) ?? path
    // The right name in the wrong section, or in none, is the likeliest slip of all.
    if let key = ConfigurationSchema.keys.first(where: { $0.name == name && $0.path != path }) { return key.path }
    let candidates =
      path.contains(".") ? ConfigurationSchema.keys.map(\.path) : ConfigurationSchema.sections.map { "[\($0)]" }
    let written = path.contains(".") ? path : "[\(path)]"
    // Longer than any key: not a slip, and not worth the square of its length.
    guard written.utf8.count <= 64 else { return nil }
    let ranked = candidates.map { (name: $0, distance: Self.distance(Array(written.utf8), Array($0.utf8))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(2, name.utf8.count / 2) ? best.name : nil
  }

  /// Levenshtein's distance: insertions, deletions and replacements of a byte.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in right.enumerated() {
        let replaced = diagonal + (byte == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }
}
