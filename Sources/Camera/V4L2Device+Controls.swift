import CLinux
import Glibc

/// Controls of a camera (userspace-api/media/v4l/control).
extension V4L2Device {
  /// Those that have a value of 32 bits and are not switched off (VIDIOC_QUERYCTRL with V4L2_CTRL_FLAG_NEXT_CTRL). Drivers that
  /// list for ever are cut off.
  func controls() -> [ControlDescription] {
    let next: UInt32 = 0x8000_0000  // V4L2_CTRL_FLAG_NEXT_CTRL
    var controls: [ControlDescription] = []
    var id = next
    for _ in 0..<512 {
      var query = v4l2_queryctrl()
      query.id = id
      guard request(VIDIOC_QUERYCTRL, &query) == 0, query.id | next != id else { break }
      id = query.id | next
      guard query.flags & UInt32(V4L2_CTRL_FLAG_DISABLED) == 0, let kind = kind(of: query) else { continue }
      controls.append(
        ControlDescription(
          id: query.id, title: text(of: query.name), kind: kind,
          isReadOnly: query.flags & UInt32(V4L2_CTRL_FLAG_READ_ONLY) != 0))
    }
    return controls
  }

  private func kind(of query: v4l2_queryctrl) -> ControlDescription.Kind? {
    switch query.type {
    case V4L2_CTRL_TYPE_INTEGER.rawValue where query.minimum <= query.maximum:
      .integer(Int(query.minimum)...Int(query.maximum), step: Int(query.step))
    case V4L2_CTRL_TYPE_BOOLEAN.rawValue: .boolean
    case V4L2_CTRL_TYPE_MENU.rawValue, V4L2_CTRL_TYPE_INTEGER_MENU.rawValue: .menu(entries(of: query))
    default: nil
    }
  }

  /// VIDIOC_QUERYMENU; an index that is refused is a gap.
  private func entries(of query: v4l2_queryctrl) -> [ControlDescription.Entry] {
    var entries: [ControlDescription.Entry] = []
    let (first, last) = (max(0, query.minimum), min(query.maximum, 255))
    guard first <= last else { return [] }
    for index in first...last {
      var entry = v4l2_querymenu()
      entry.id = query.id
      entry.index = UInt32(index)
      guard request(VIDIOC_QUERYMENU, &entry) == 0 else { continue }
      let words =
        query.type == V4L2_CTRL_TYPE_MENU.rawValue ? text(of: entry.name) : "\(entry.value)"
      entries.append(ControlDescription.Entry(index: Int(index), words: words))
    }
    return entries
  }

  /// Sets them in order (VIDIOC_S_CTRL); the first that is not taken ends it.
  func set(_ settings: [CameraControl]) throws(CameraError) {
    guard !settings.isEmpty else { return }
    let offered = controls()
    for setting in settings {
      let (id, value) = try offered.resolve(setting, device: name)
      var control = v4l2_control(id: id, value: Int32(clamping: value))
      let error = request(VIDIOC_S_CTRL, &control)
      guard error == 0 else { throw Self.refusal(of: setting, device: name, errno: error) }
    }
  }

  static func refusal(of setting: CameraControl, device: String, errno code: CInt) -> CameraError {
    let operation = "\(setting.name)=\(setting.value)"
    switch code {
    case ENODEV, ENXIO: return CameraError(device: device, operation: "VIDIOC_S_CTRL", errno: code)
    case EACCES, EINVAL, EBUSY, ERANGE:
      return CameraError(
        .unsupported, device: device, operation: operation, errno: code,
        hint:
          "Another control may hold it, as an automatic exposure does: put that one in front of it in camera.controls.")
    default: return CameraError(.failed, device: device, operation: operation, errno: code)
    }
  }
}
