/// Where a value in effect comes from; later layers win, key by key.
public enum ConfigurationOrigin: Hashable, Sendable, CustomStringConvertible {
  case builtIn
  /// The board's profile, and the line in it.
  case boardProfile(name: String, line: Int)
  /// The configuration file, and the line in it.
  case file(name: String, line: Int)
  case commandLine

  public var description: String {
    switch self {
    case .builtIn: "built-in"
    case .boardProfile(let name, let line), .file(let name, let line): "\(name):\(line)"
    case .commandLine: "command line"
    }
  }

  /// One word for the layer, for programs.
  public var layerName: String {
    switch self {
    case .builtIn: "built-in"
    case .boardProfile: "board"
    case .file: "file"
    case .commandLine: "command-line"
    }
  }
}

/// One thing wrong with a configuration, in words for whoever wrote it.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  /// Where to look: `lapel.toml:12`, `command line`; empty if the layers that clash are named in the text.
  public var place: String
  /// The keys concerned, as `section.key`; none if the text is not TOML at all.
  public var keys: [String]
  /// What is wrong, without the keys.
  public var text: String
  /// What would be allowed; nil where that cannot be said in a line.
  public var allowed: String?

  public init(place: String = "", keys: [String], text: String, allowed: String? = nil) {
    self.place = place
    self.keys = keys
    self.text = text
    self.allowed = allowed
  }

  /// `place: keys: text; allowed: …`
  public var description: String {
    let head = [place, keys.joined(separator: ", ")].filter { !$0.isEmpty }
    return (head + [text]).joined(separator: ": ") + (allowed.map { "; allowed: \($0)" } ?? "")
  }
}

/// Everything wrong with a configuration: nothing starts with it.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// At least one; by layer, and by line within it.
  public var problems: [ConfigurationProblem]

  public init(problems: [ConfigurationProblem]) { self.problems = problems }

  /// One line each.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}
