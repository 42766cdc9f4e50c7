import TOMLKit

/// One source of settings. Reading the file is the caller's job: a name for messages and the text are passed in.
public struct ConfigurationLayer: Sendable {
  enum Contents: Sendable {
    case boardProfile(name: String, text: String)
    case file(name: String, text: String)
    case commandLine([String])
  }
  let contents: Contents

  /// The board's profile: TOML.
  public static func boardProfile(name: String, text: String) -> ConfigurationLayer {
    ConfigurationLayer(contents: .boardProfile(name: name, text: text))
  }

  /// The configuration file: TOML.
  public static func file(name: String, text: String) -> ConfigurationLayer {
    ConfigurationLayer(contents: .file(name: name, text: text))
  }

  /// The arguments of `--set`, each `section.key=value`; text stands without quotes. The last of equal keys wins.
  public static func commandLine(_ assignments: [String]) -> ConfigurationLayer {
    ConfigurationLayer(contents: .commandLine(assignments))
  }

  /// A key's value in this layer.
  struct Setting {
    var key: ConfigurationKey
    var value: ConfigurationValue
    var origin: ConfigurationOrigin
  }

  /// Every setting of this layer that is right by itself; adds what is wrong to `problems`.
  func settings(problems: inout [ConfigurationProblem]) -> [Setting] {
    switch contents {
    case .boardProfile(let name, let text):
      TOMLSettings.read(text, name: name, problems: &problems) { .boardProfile(name: name, line: $0) }
    case .file(let name, let text):
      TOMLSettings.read(text, name: name, problems: &problems) { .file(name: name, line: $0) }
    case .commandLine(let assignments):
      assignments.compactMap { Self.setting(of: $0, problems: &problems) }
    }
  }

  private static func setting(of assignment: String, problems: inout [ConfigurationProblem]) -> Setting? {
    let place = ConfigurationOrigin.commandLine.description
    guard let equals = assignment.firstIndex(of: "=") else {
      problems.append(
        ConfigurationProblem(
          place: place, keys: [], text: "\(assignment.excerpt) has no \"=\"; write --set section.key=value"))
      return nil
    }
    let path = String(assignment[..<equals])
    let written = String(assignment[assignment.index(after: equals)...])
    guard let key = ConfigurationSchema.key(path) else {
      problems.append(UnknownKey(path).problem(place: place))
      return nil
    }
    guard let value = key.value(ofText: written) else {
      problems.append(
        ConfigurationProblem(
          place: place, keys: [path], text: "\(written.excerpt) is not \(key.expectedKindText)",
          allowed: key.allowedText))
      return nil
    }
    if let reason = key.refusal(of: value) {
      problems.append(ConfigurationProblem(place: place, keys: [path], text: reason, allowed: key.allowedText))
      return nil
    }
    return Setting(key: key, value: value, origin: .commandLine)
  }
}

extension ConfigurationKey {
  /// A value written without TOML's quotes; nil if it cannot be of this key's kind.
  fileprivate func value(ofText text: String) -> ConfigurationValue? {
    switch allowed {
    case .boolean: Bool(text).map(ConfigurationValue.boolean)
    case .integer: Int(text).map(ConfigurationValue.integer)
    case .choice, .text, .path: .text(text)
    }
  }
}

/// The settings of a TOML text.
enum TOMLSettings {
  static func read(
    _ text: String, name: String, problems: inout [ConfigurationProblem], origin: (Int) -> ConfigurationOrigin
  ) -> [ConfigurationLayer.Setting] {
    let lines = TOMLKeyLines(text)
    if let line = lines.firstNUL {
      problems.append(ConfigurationProblem(place: "\(name):\(line)", keys: [], text: "a NUL character; remove it"))
      return []
    }
    let document: TOMLTable
    do {
      document = try TOMLTable(string: text)
    } catch {
      problems.append(problem(of: error, name: name))
      return []
    }

    var settings: [ConfigurationLayer.Setting] = []
    var found: [(line: Int, problem: ConfigurationProblem)] = []
    func report(_ path: [String], _ make: (String) -> ConfigurationProblem) {
      let line = lines.lines[path] ?? 1
      found.append((line, make("\(name):\(line)")))
    }
    for section in document.keys {
      guard let node = document[section] else { continue }
      guard ConfigurationSchema.sections.contains(section) else {
        report([section]) { UnknownKey(section).problem(place: $0) }
        continue
      }
      guard let table = node.table else {
        report([section]) {
          ConfigurationProblem(
            place: $0, keys: [section], text: "\(node.type.article) where a table belongs; write [\(section)]")
        }
        continue
      }
      for keyName in table.keys {
        guard let node = table[keyName] else { continue }
        guard let key = ConfigurationSchema.key("\(section).\(keyName)"), key.name == keyName else {
          report([section, keyName]) { UnknownKey("\(section).\(keyName)").problem(place: $0) }
          continue
        }
        let value = node.configurationValue
        let reason =
          value.map(key.refusal(of:)) ?? "\(node.type.article), not \(key.expectedKindText)"
        if let reason {
          report([section, keyName]) {
            ConfigurationProblem(place: $0, keys: [key.path], text: reason, allowed: key.allowedText)
          }
        } else if let value {
          settings.append(
            ConfigurationLayer.Setting(key: key, value: value, origin: origin(lines.lines[[section, keyName]] ?? 1)))
        }
      }
    }
    problems += found.sorted { ($0.line, $0.problem.description) < ($1.line, $1.problem.description) }.map(\.problem)
    return settings
  }

  private static func problem(of error: any Error, name: String) -> ConfigurationProblem {
    guard let error = error as? TOMLParseError else {
      return ConfigurationProblem(place: name, keys: [], text: "not TOML: \(error)")
    }
    let reason = error.description.split(whereSeparator: \.isNewline).joined(separator: " ")
    return ConfigurationProblem(
      place: "\(name):\(error.source.begin.line)", keys: [],
      text: "not TOML: \(reason) (column \(error.source.begin.column))")
  }
}

extension TOMLValueConvertible {
  fileprivate var configurationValue: ConfigurationValue? {
    switch type {
    case .bool: bool.map(ConfigurationValue.boolean)
    case .int: int.map(ConfigurationValue.integer)
    case .string: string.map(ConfigurationValue.text)
    case .table, .array, .double, .date, .time, .dateTime: nil
    }
  }
}

extension TOMLType {
  fileprivate var article: String {
    switch self {
    case .array, .int: "an \(description)"
    default: "a \(description)"
    }
  }
}
